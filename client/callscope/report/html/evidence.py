"""The agent's quality ratios, each with the sentences behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from callscope.call import Call, Evidence
from callscope.report.html.figures import Figure, percent
from callscope.report.html.phrases import phrase
from callscope.report.html.transcript import anchor, sentences

RATIOS = (
    "honorific_ratio",
    "positive_word_ratio",
    "negative_word_ratio",
    "euphonious_word_ratio",
    "empathy_ratio",
    "apology_ratio",
)


@dataclass(frozen=True, slots=True)
class Proof:
    """A sentence that matched, in three parts of which the middle one is the match; `anchor` is where it stands."""

    anchor: str
    at_s: float
    language: str | None
    before: str
    match: str
    after: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio, how long its bar is, and its proofs."""

    name: str
    figure: Figure
    width: str | None
    proofs: tuple[Proof, ...]


def ratios(call: Call) -> tuple[Ratio, ...]:
    """Every ratio; all without a value where quality was not worked out."""
    if call.quality is None:
        missing = Figure(None, phrase("reason.no_quality"))
        return tuple(Ratio(name, missing, None, ()) for name in RATIOS)
    reason = "agent_silent" if call.metrics.roles.agent else "agent_unknown"
    place = {segment.id: index for index, segment in enumerate(call.segments)}
    return tuple(_ratio(call, name, getattr(call.quality, name), reason, place) for name in RATIOS)


def _ratio(call: Call, name: str, value: float | None, reason: str, place: Mapping[str, int]) -> Ratio:
    found = call.quality.evidence if call.quality else ()
    proofs = tuple(_proof(call, one, place[one.segment]) for one in found if _names(one, name) and one.segment in place)
    return Ratio(name, percent(value, reason), None if value is None else f"{100 * value:.1f}%", proofs)


def _names(evidence: Evidence, ratio: str) -> bool:
    return evidence.metric in {ratio, ratio.removesuffix("_ratio")}


def _proof(call: Call, evidence: Evidence, index: int) -> Proof:
    segment = call.segments[index]
    texts = sentences(segment)
    number = min(max(evidence.sentence, 0), len(texts) - 1)
    sentence = texts[number].strip()
    start = sentence.find(evidence.text) if evidence.text else -1
    end = start + len(evidence.text) if start >= 0 else 0
    return Proof(
        anchor=anchor(index, number),
        at_s=segment.start_s,
        language=segment.language,
        before=sentence[: max(start, 0)],
        match=sentence[max(start, 0) : end],
        after=sentence[end:],
        pattern=evidence.pattern,
    )
