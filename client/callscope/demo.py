"""The bundled calls: where they are, what was really said in them, and how near the result comes."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from callscope.call import Call
from callscope.checkout import find
from callscope.errors import SettingsInvalid
from callscope.score import ErrorRate, error_rate

AGENT_CHANNEL = 0
SPEAKERS = ("agent", "customer")


@dataclass(frozen=True, slots=True)
class DemoCall:
    """A bundled call and its script.

    Attributes:
        audio: the recording, the agent on the left channel.
        language: its code.
        title: what it is about.
        reference: role -> what that role says, in order.
    """

    audio: Path
    language: str
    title: str
    reference: dict[str, str]


def demo_calls() -> tuple[DemoCall, ...]:
    """The bundled calls.

    Raises:
        SettingsInvalid: this is no clone, and they are only there.
    """
    folder = find("demo/calls")
    calls = [_read(script) for script in sorted(folder.glob("*.toml"))] if folder else []
    found = tuple(call for call in calls if call.audio.is_file())
    if not found:
        raise SettingsInvalid(
            "The demo's calls are not here: they come with a clone of Callscope, not with the installed package. "
            "Run `callscope demo` in a clone, or `callscope analyze` on a recording of your own."
        )
    return found


def score(call: Call, demo: DemoCall) -> ErrorRate:
    """The error rate of a result against the script, each speaker's words compared with that speaker's."""
    spoken = {
        role: " ".join(segment.raw_text for segment in call.segments if segment.speaker in _ids(call, role))
        for role in SPEAKERS
    }
    return error_rate([(demo.reference[role], spoken[role]) for role in SPEAKERS], demo.language)


def _ids(call: Call, role: str) -> set[str]:
    return {speaker.id for speaker in call.speakers if speaker.role == role}


def _read(script: Path) -> DemoCall:
    told = tomllib.loads(script.read_text(encoding="utf-8"))
    reference = {
        role: " ".join(text for turn in told["turn"] if turn["speaker"] == role for text, _ in turn["sentences"])
        for role in SPEAKERS
    }
    return DemoCall(script.with_suffix(".wav"), told["language"], told["title"], reference)
