"""Where things lie in the drawings of the call: who spoke when, and how it sounded.

Across, everything is a share of the call's duration, written as "12.345%"; down, it is pixels. So the drawings are as
wide as the page and keep their height.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from callscope.analysis.measures import Mood
from callscope.call import Call, Segment

LABEL_PX = 20
VOICE_PX = 26
MOOD_PX = 28
ROW_GAP_PX = 10
MEANS_PX = 16
MARKS_PX = 26
OVERLAP_PX = 6
MOOD_LANE_PX = LABEL_PX + 2 * MOOD_PX + MEANS_PX
NARROWEST = 0.03
MOST_TICKS = 8
QUARTERS = 4
_TICK_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle; `index` is that of what it stands for."""

    index: int
    x: str
    width: str
    y_px: float
    height_px: float
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """A speaker's part of a drawing, from `top_px` on."""

    speaker: str
    top_px: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Quarter:
    """The mean of a quarter of the call, at its height; None where the quarter has none."""

    x: str
    middle: str
    end: str
    y_px: float | None
    mean: float | None


@dataclass(frozen=True, slots=True)
class Tick:
    """A time on the axis."""

    time_s: float
    x: str
    anchor: str


def voices(call: Call) -> tuple[Lane, ...]:
    """A lane for each speaker, a bar for each segment."""
    step = LABEL_PX + VOICE_PX + ROW_GAP_PX
    lanes = []
    for place, speaker in enumerate(call.speakers):
        top = place * step
        own = _own(call, speaker.id)
        bars = tuple(_bar(call, index, one, y_px=top + LABEL_PX, height_px=VOICE_PX) for index, one in own)
        lanes.append(Lane(speaker.id, top, bars))
    return tuple(lanes)


def voices_height_px(call: Call) -> int:
    """The height of all lanes of `voices`."""
    return len(call.speakers) * (LABEL_PX + VOICE_PX + ROW_GAP_PX)


def silences(call: Call) -> tuple[Bar, ...]:
    """A bar as high as all lanes for each stretch of non-talk."""
    height = voices_height_px(call)
    found = enumerate(call.metrics.non_talk.instances)
    return tuple(_bar(call, index, one, y_px=0, height_px=height) for index, one in found)


def overlaps(call: Call) -> tuple[Bar, ...]:
    """A bar for each stretch in which several speak."""
    found = enumerate(call.metrics.overlap.instances)
    return tuple(_bar(call, index, one, y_px=0, height_px=OVERLAP_PX) for index, one in found)


def moods(call: Call) -> tuple[Lane, ...]:
    """A lane for each speaker with scores: a bar up for a positive segment, down for a negative one."""
    step = MOOD_LANE_PX
    lanes: list[Lane] = []
    for speaker in call.speakers:
        middle = len(lanes) * step + LABEL_PX + MOOD_PX
        bars = tuple(_mood_bar(call, index, one, middle) for index, one in _own(call, speaker.id) if one.sentiment)
        if bars:
            lanes.append(Lane(speaker.id, len(lanes) * step, bars))
    return tuple(lanes)


def moods_height_px(lanes: Sequence[Lane]) -> int:
    """The height of the lanes of `moods`."""
    return len(lanes) * MOOD_LANE_PX


def quarters(mood: Mood | None, lane: Lane) -> tuple[Quarter, ...]:
    """The means of the call's quarters as steps of a line."""
    middle = lane.top_px + LABEL_PX + MOOD_PX
    return tuple(
        Quarter(
            _percent(place / QUARTERS),
            _percent((place + 0.5) / QUARTERS),
            _percent((place + 1) / QUARTERS),
            None if mean is None else round(middle - mean * MOOD_PX, 1),
            mean,
        )
        for place, mean in enumerate(mood.quarters if mood else ())
    )


def ticks(duration_s: float) -> tuple[Tick, ...]:
    """Round times along the axis, at most eight of them, from 0."""
    if duration_s <= 0:
        return ()
    step_s = next((step for step in _TICK_STEPS_S if duration_s / step <= MOST_TICKS), duration_s / MOST_TICKS)
    times_s = [place * step_s for place in range(int(duration_s / step_s) + 1)]
    return tuple(Tick(time_s, across(duration_s, time_s), _anchor(time_s / duration_s)) for time_s in times_s)


def across(duration_s: float, time_s: float) -> str:
    """The place of a time in the call."""
    return _percent(min(max(time_s / duration_s, 0.0), 1.0) if duration_s > 0 else 0.0)


def _own(call: Call, speaker: str) -> Iterator[tuple[int, Segment]]:
    return ((index, one) for index, one in enumerate(call.segments) if one.speaker == speaker)


class _Timed(Protocol):
    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...


def _bar(call: Call, index: int, one: _Timed, *, y_px: float, height_px: float, kind: str = "") -> Bar:
    duration_s = call.recording.duration_s
    share = (one.end_s - one.start_s) / duration_s if duration_s > 0 else 0.0
    width = _percent(max(share, NARROWEST / 100))
    return Bar(index, across(duration_s, one.start_s), width, round(y_px, 1), round(height_px, 1), kind)


def _mood_bar(call: Call, index: int, segment: Segment, middle_px: int) -> Bar:
    score = segment.sentiment.score if segment.sentiment else 0.0
    height = max(abs(score) * MOOD_PX, 1.5)
    top = middle_px - height if score > 0 else middle_px
    kind = "neutral" if round(score, 2) == 0 else "positive" if score > 0 else "negative"
    return _bar(call, index, segment, y_px=top, height_px=height, kind=kind)


def _percent(share: float) -> str:
    return f"{100 * share:.3f}%"


def _anchor(share: float) -> str:
    return "start" if share < 0.02 else "end" if share > 0.96 else "middle"  # noqa: PLR2004  so that labels stay inside
