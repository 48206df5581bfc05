"""What a channel holds of speech, and what was taken for speech and is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from callscope_preprocessing.audio import Span

Reason = Literal["steady", "keys", "ring_back", "music", "noise", "short", "bleed"]
"""Why sound that a detector takes for speech is left out.

    steady     a tone, hum or noise whose level does not move for a second
    keys       telephone keys (DTMF)
    ring_back  a signalling tone that comes and goes: ring-back, busy, dial
    music      notes: lines that are held, in tune with each other
    noise      sound under the floor
    short      too short for a word
    bleed      the voice of another channel
"""
REASONS: tuple[Reason, ...] = get_args(Reason)


@dataclass(frozen=True, slots=True, order=True)
class Dropped:
    """A stretch that was taken for speech at first, and why it is left out."""

    span: Span
    reason: Reason


@dataclass(frozen=True, slots=True)
class Speech:
    """What was found in a channel.

    Attributes:
        spans: speech, in order, apart from each other, within the sound.
        dropped: what was left out, in order of start.
    """

    spans: tuple[Span, ...]
    dropped: tuple[Dropped, ...] = ()

    @property
    def duration_s(self) -> float:
        """How much speech there is, in seconds."""
        return sum(span.duration_s for span in self.spans)
