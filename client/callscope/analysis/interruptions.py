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
    found: list[Interruption] = []
    speaking: list[_Run] = []  # those that began before, in order, and may still be heard
    for run in _runs(segments):
        speaking = [other for other in speaking if other.end_s >= run.start_s]
        found += [_interruption(run, other) for other in speaking if _interrupts(run, other)]
        speaking.append(run)
    return tuple(found)


@dataclass(slots=True)
class _Run:
    """Speech of one speaker without a break."""

    speaker: str
    start_s: float
    end_s: float
    segments: list[Segment]

    @property
    def is_backchannel(self) -> bool:
        text = "".join(segment.text for segment in self.segments)
        return self.end_s - self.start_s < BACKCHANNEL_MAX_S and is_backchannel(text, self.segments[0].language)


def _interruption(run: _Run, other: _Run) -> Interruption:
    end_s = min(run.end_s, other.end_s)
    ids = tuple(segment.id for segment in run.segments)
    return Interruption(run.start_s, end_s, end_s - run.start_s, run.speaker, other.speaker, ids)


def _interrupts(run: _Run, other: _Run) -> bool:
    return (
        run.speaker != other.speaker
        and other.start_s < run.start_s
        and other.end_s - run.start_s >= MIN_OVERLAP_S
        and not run.is_backchannel
    )


def _runs(segments: Iterable[Segment]) -> Sequence[_Run]:
    """In order of start."""
    runs: list[_Run] = []
    latest: dict[str, _Run] = {}
    for segment in sorted(segments, key=lambda segment: (segment.start_s, segment.end_s)):
        run = latest.get(segment.speaker)
        if run and segment.start_s <= run.end_s:
            run.segments.append(segment)
            run.end_s = max(run.end_s, segment.end_s)
        else:
            latest[segment.speaker] = _Run(segment.speaker, segment.start_s, segment.end_s, [segment])
            runs.append(latest[segment.speaker])
    return runs
