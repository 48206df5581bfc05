"""Where a channel holds speech, and what sounded like it and is none."""

from __future__ import annotations

from dataclasses import dataclass

from callscope_preprocessing.audio import Span


@dataclass(frozen=True, slots=True)
class Dropped:
    """A stretch that was taken for speech at first.

    Attributes:
        span: where it lies in the call.
        reason: what it is: "steady", "keys", "ring_back", "music", "noise", "short" or "bleed".
    """

    span: Span
    reason: str


@dataclass(frozen=True, slots=True)
class Speech:
    """What was found in one channel.

    Attributes:
        spans: speech, in order and apart from each other.
        dropped: what was left out, in order.
    """

    spans: tuple[Span, ...]
    dropped: tuple[Dropped, ...]
