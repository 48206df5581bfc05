"""Who cut whom short."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from callscope.analysis.measures import Interruption
from callscope.analysis.words import is_backchannel
from callscope.call import Segment

MIN_OVERLAP_S = 0.5
BACKCHANNEL_MAX_S = 1.0


def find_interruptions(segments: Iterable[Segment]) -> tuple[Interruption, ...]:
    """Every start of speech at least 0.5 s before somebody who already speaks ends.

    A listener's word ("yeah", はい, 네) under 1 s is none. Segments of one speaker that touch are one stretch of
    speech, so where a recogniser's window happened to end makes no difference.

    Returns:
        In order of start, one for each stretch and each speaker it cuts short.
    """
    runs = _runs(segments)
    return tuple(_interruption(run, other) for run in runs for other in runs if _interrupts(run, other))


@dataclass(frozen=True, slots=True)
class _Run:
    """Speech of one speaker without a break."""

    segments: tuple[Segment, ...]

    @property
    def speaker(self) -> str:
        return self.segments[0].speaker

    @property
    def start_s(self) -> float:
        return self.segments[0].start_s

    @property
    def end_s(self) -> float:
        return max(segment.end_s for segment in self.segments)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(segment.id for segment in self.segments)

    @property
    def is_backchannel(self) -> bool:
        text = "".join(segment.text for segment in self.segments)
        return self.end_s - self.start_s < BACKCHANNEL_MAX_S and is_backchannel(text, self.segments[0].language)


def _interruption(run: _Run, other: _Run) -> Interruption:
    end_s = min(run.end_s, other.end_s)
    return Interruption(run.start_s, end_s, end_s - run.start_s, run.speaker, other.speaker, run.ids)


def _interrupts(run: _Run, other: _Run) -> bool:
    return (
        run.speaker != other.speaker
        and other.start_s < run.start_s
        and other.end_s - run.start_s >= MIN_OVERLAP_S
        and not run.is_backchannel
    )


def _runs(segments: Iterable[Segment]) -> Sequence[_Run]:
    runs: list[_Run] = []
    latest: dict[str, int] = {}
    for segment in sorted(segments, key=lambda segment: (segment.start_s, segment.end_s)):
        place = latest.get(segment.speaker)
        if place is not None and segment.start_s <= runs[place].end_s:
            runs[place] = _Run((*runs[place].segments, segment))
        else:
            latest[segment.speaker] = len(runs)
            runs.append(_Run((segment,)))
    return runs
