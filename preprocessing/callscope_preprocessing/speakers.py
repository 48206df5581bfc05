"""Who spoke when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.audio import Span

MOST_SPEAKERS = 20


@dataclass(frozen=True, slots=True, order=True)
class SpeakerTurn:
    """A stretch of one speaker's speech."""

    span: Span
    speaker: str


@dataclass(frozen=True, slots=True)
class Diarization:
    """Who spoke when on one track.

    Attributes:
        turns: in order of their starts; those of two speakers overlap where both speak.
        exclusive: the same with one speaker at a time, for giving words to speakers.
        method: "pyannote", "voices" (two small networks), "spectra" or "none".
        degraded: why a lesser engine was used, a sentence; None where none was.
    """

    turns: tuple[SpeakerTurn, ...]
    exclusive: tuple[SpeakerTurn, ...]
    method: str
    degraded: str | None = None

    @property
    def speakers(self) -> tuple[str, ...]:
        """Every speaker, in the order of their first turns."""
        return tuple(dict.fromkeys(turn.speaker for turn in self.turns))


@dataclass(frozen=True, slots=True)
class SpeakerCount:
    """How many speakers there can be, both ends included."""

    least: int = 1
    most: int = MOST_SPEAKERS

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.most <= MOST_SPEAKERS:
            raise ValueError(
                f"{self.least}-{self.most} speakers are impossible. Give a number from 1 to {MOST_SPEAKERS}, "
                "or two of them in order, such as 2-4."
            )

    @property
    def known(self) -> bool:
        """Whether it is one number."""
        return self.least == self.most


ANY_COUNT = SpeakerCount()


def parse_speakers(text: str) -> SpeakerCount:
    """Read `N` or `MIN-MAX`.

    Raises:
        ValueError: it is neither.
    """
    found = re.fullmatch(r"\s*(\d{1,3})\s*(?:-\s*(\d{1,3})\s*)?", text)
    if found is None:
        raise ValueError(f"{text!r} is no number of speakers. Write one, such as 2, or a range, such as 2-4.")
    return SpeakerCount(int(found[1]), int(found[2] or found[1]))


def name_of(number: int) -> str:
    """The name of a speaker counted from 0."""
    return f"SPEAKER_{number:02d}"


def in_order(turns: Iterable[SpeakerTurn]) -> tuple[SpeakerTurn, ...]:
    """Turns by their starts."""
    return tuple(sorted(turns))


def turns_of(active: NDArray[np.bool_], frame_s: float, end_s: float) -> tuple[SpeakerTurn, ...]:
    """Turns from activity, shape (frames, speakers), frame n from n to n + 1 times `frame_s`, none beyond `end_s`."""
    turns: list[SpeakerTurn] = []
    for speaker in range(active.shape[1]):
        edges = np.flatnonzero(np.diff(active[:, speaker], prepend=False, append=False)).reshape(-1, 2)
        spans = (Span(first * frame_s, min(end * frame_s, end_s)) for first, end in edges.tolist())
        turns += [SpeakerTurn(span, name_of(speaker)) for span in spans if span.duration_s > 0]
    return in_order(turns)


def frames_in(spans: Sequence[Span], frames: int, frame_s: float) -> NDArray[np.bool_]:
    """Which frames have their middle within `spans`, shape (frames,)."""
    inside = np.zeros(frames, np.bool_)
    for span in spans:
        first, end = (max(0, round(time_s / frame_s)) for time_s in (span.start_s, span.end_s))
        inside[first:end] = True
    return inside
