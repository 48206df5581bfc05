"""What a reader must know before trusting the figures: what is missing from a result, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from callscope.call import Call, Step
from callscope.report.html.phrases import Phrase, phrase

KNOWN_STEPS = ("words", "denoise", "diarize", "transcribe", "punctuate", "sentiment", "quality")


@dataclass(frozen=True, slots=True)
class Lack:
    """What is missing, and what the step said of it."""

    what: Phrase
    why: str | None = None


def lacks(call: Call) -> tuple[Lack, ...]:
    """Steps that did less than they should, roles that nobody is known to have, and texts in doubt."""
    return (*_steps(call), *_roles(call), *_doubts(call))


def _steps(call: Call) -> Iterator[Lack]:
    steps = {step.name: step for step in call.processing.steps}
    weak = [name for name, step in steps.items() if step.status != "ok"]
    for name in dict.fromkeys((*weak, *call.processing.degraded)):
        yield _lack(name, steps.get(name))


def _lack(name: str, step: Step | None) -> Lack:
    what = phrase(f"missing.{name}") if name in KNOWN_STEPS else phrase("missing.other", step=name)
    return Lack(what, step.error if step else None)


def _roles(call: Call) -> Iterator[Lack]:
    if call.speakers and call.metrics.roles.agent is None:
        yield Lack(phrase("missing.agent"))


def _doubts(call: Call) -> Iterator[Lack]:
    doubted = sum(bool(segment.doubts) for segment in call.segments)
    if doubted:
        yield Lack(phrase("missing.doubts", count=str(doubted), all=str(len(call.segments))))
