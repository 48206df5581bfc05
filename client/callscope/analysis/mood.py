"""How the sentiment of a party runs through the call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

from callscope.analysis.measures import Mood
from callscope.call import Segment

MIN_TURNS = 2
QUARTERS = 4


def measure_mood(segments: Iterable[Segment], duration_s: float, turns: int) -> Mood | None:
    """Mean, halves (as the Korean Callytics) and quarters (as AWS PCA) of a party's scored segments.

    A segment counts where its middle lies. None under two turns or without a score.
    """
    scored = [(_middle_s(segment), segment.sentiment.score) for segment in segments if segment.sentiment]
    if turns < MIN_TURNS or not scored or duration_s <= 0:
        return None
    early, late = _means(scored, duration_s, 2)
    first, second, third, fourth = _means(scored, duration_s, QUARTERS)
    return Mood(
        mean=fmean(score for _, score in scored),
        early=early,
        late=late,
        trend=_difference(late, early),
        quarters=(first, second, third, fourth),
        change=_difference(fourth, first),
    )


def _middle_s(segment: Segment) -> float:
    return (segment.start_s + segment.end_s) / 2


def _means(scored: Sequence[tuple[float, float]], duration_s: float, parts: int) -> list[float | None]:
    buckets: list[list[float]] = [[] for _ in range(parts)]
    for middle_s, score in scored:
        buckets[min(int(middle_s / duration_s * parts), parts - 1)].append(score)
    return [fmean(bucket) if bucket else None for bucket in buckets]


def _difference(later: float | None, earlier: float | None) -> float | None:
    return None if later is None or earlier is None else later - earlier
