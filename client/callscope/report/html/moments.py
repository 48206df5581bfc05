"""The moments that a supervisor wants to hear: silences, interruptions, overlaps."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from callscope.call import Call
from callscope.report.html import people
from callscope.report.html.figures import seconds
from callscope.report.html.phrases import Phrase, phrase
from callscope.report.html.transcript import anchor


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of the call; `anchor` is the segment to read for it, None in a call without any."""

    start_s: float
    duration_s: float
    length: Phrase
    anchor: str | None
    what: Phrase


@dataclass(frozen=True, slots=True)
class Moments:
    """All moments of a kind, in order."""

    kind: str
    instances: tuple[Moment, ...]


def moments(call: Call) -> tuple[Moments, ...]:
    """Non-talk, interruptions and overlaps."""
    names, starts = people.names(call), [segment.start_s for segment in call.segments]
    place = {segment.id: index for index, segment in enumerate(call.segments)}
    metrics = call.metrics
    quiet = [
        _moment(one.start_s, one.duration_s, _before(starts, one.start_s), phrase("moment.non_talk"))
        for one in metrics.non_talk.instances
    ]
    cut = [
        _moment(
            one.start_s,
            one.duration_s,
            _first(one.segments, place),
            phrase("moment.interruption", who=names[one.speaker], whom=names[one.interrupted]),
        )
        for one in metrics.interruptions.instances
    ]
    both = [
        _moment(one.start_s, one.duration_s, _before(starts, one.start_s), _together(one.speakers, names))
        for one in metrics.overlap.instances
    ]
    return Moments("non_talk", tuple(quiet)), Moments("interruption", tuple(cut)), Moments("overlap", tuple(both))


def _moment(start_s: float, duration_s: float, index: int | None, what: Phrase) -> Moment:
    length = seconds(duration_s).value or phrase("unit.number", value="")
    return Moment(start_s, duration_s, length, None if index is None else anchor(index), what)


def _together(speakers: Sequence[str], names: Mapping[str, Phrase]) -> Phrase:
    first, *others = (names[speaker] for speaker in speakers)
    said = first
    for other in others:
        said = phrase("moment.both", who=said, whom=other)
    return said


def _before(starts: Sequence[float], time_s: float) -> int | None:
    """The segment that began last by then, or else the first."""
    return max(bisect_right(starts, time_s) - 1, 0) if starts else None


def _first(segments: Sequence[str], place: Mapping[str, int]) -> int | None:
    return next((place[segment] for segment in segments if segment in place), None)
