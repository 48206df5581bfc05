"""What the figures of many calls have in common, and which calls stand apart."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from callscope.report.overview.brief import Brief

MOST_BINS = 16
FAR = 3.5
"""A robust z-score beyond which a value stands apart (Iglewicz and Hoaglin, 1993)."""
TO_SIGMA = 1.4826
"""Median absolute deviation of a normal distribution -> its standard deviation."""
FEWEST = 8
"""Values without which nothing stands apart."""
DAYS = 45
"""A span up to which trends go by day; beyond it by week."""
PERCENT = 100


@dataclass(frozen=True, slots=True)
class Bin:
    """A bar of a histogram: the calls whose value lies in [low, high), in the last one also at `high`."""

    low: float
    high: float
    calls: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Distribution:
    """A figure over all calls.

    Attributes:
        bins: bars of one width; empty where no call has the figure.
        median: of the calls that have it.
        quartiles: the first and third.
        without: how many calls do not have it.
    """

    bins: tuple[Bin, ...]
    median: float | None
    quartiles: tuple[float, float] | None
    without: int


@dataclass(frozen=True, slots=True)
class Outlier:
    """A call whose figure stands apart; `z` is its robust z-score."""

    call: int
    figure: str
    value: float
    median: float
    z: float


@dataclass(frozen=True, slots=True)
class Period:
    """A day or a week: how many calls have the figure in it, their median and quartiles."""

    start: datetime
    count: int
    low: float
    median: float
    high: float


def distribution(values: Sequence[float | None]) -> Distribution:
    """A histogram with bars of a round width, at most sixteen of them."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return Distribution((), None, None, len(values))
    width = _round_width((known[-1] - known[0]) / MOST_BINS)
    first = math.floor(known[0] / width)
    last = max(first, math.ceil(known[-1] / width) - 1)
    held: dict[int, list[int]] = {place: [] for place in range(first, last + 1)}
    for call, value in enumerate(values):
        if value is not None:
            held[min(max(math.floor(value / width), first), last)].append(call)
    bins = tuple(Bin(place * width, (place + 1) * width, tuple(calls)) for place, calls in held.items())
    return Distribution(bins, statistics.median(known), _quartiles(known), len(values) - len(known))


def outliers(figures: Mapping[str, Sequence[float | None]]) -> list[Outlier]:
    """What stands apart in any figure, the farthest first."""
    found = [outlier for name, values in figures.items() for outlier in _apart(name, values)]
    return sorted(found, key=lambda outlier: -abs(outlier.z))


def periods(briefs: Sequence[Brief], figure: str) -> list[Period]:
    """A figure by day, or by week where the calls span more than 45 days."""
    dates = [brief.date for brief in briefs]
    by_week = bool(dates) and max(dates) - min(dates) > timedelta(days=DAYS)
    held: dict[datetime, list[float]] = {}
    for brief in briefs:
        if (value := brief.figures[figure]) is not None:
            held.setdefault(_start(brief.date, by_week=by_week), []).append(value)
    return [
        Period(start, len(values), _quartiles(values)[0], statistics.median(values), _quartiles(values)[1])
        for start, values in sorted(held.items())
    ]


def groups(briefs: Sequence[Brief], most: int = 30) -> Mapping[str, Mapping[str, tuple[int, ...]]]:
    """Keys of metadata by which calls can be compared: 2 to `most` values, most of them of more than one call."""
    held: dict[str, dict[str, list[int]]] = {}
    for call, brief in enumerate(briefs):
        for key, value in brief.metadata.items():
            held.setdefault(key, {}).setdefault(value, []).append(call)
    return {
        key: {value: tuple(calls) for value, calls in sorted(values.items())}
        for key, values in held.items()
        if 1 < len(values) <= most and sum(len(calls) > 1 for calls in values.values()) > len(values) / 2
    }


def _apart(name: str, values: Sequence[float | None]) -> list[Outlier]:
    known = [value for value in values if value is not None]
    if len(known) < FEWEST:
        return []
    median = statistics.median(known)
    spread = TO_SIGMA * statistics.median(abs(value - median) for value in known)
    if not spread:
        return []
    scored = ((call, value, (value - median) / spread) for call, value in enumerate(values) if value is not None)
    return [Outlier(call, name, value, median, z) for call, value, z in scored if abs(z) > FAR]


def _start(date: datetime, *, by_week: bool) -> datetime:
    day = date.replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday()) if by_week else day


def _quartiles(values: Sequence[float]) -> tuple[float, float]:
    if len(values) == 1:
        return values[0], values[0]
    first, _, third = statistics.quantiles(values, n=4, method="inclusive")
    return first, third


def _round_width(least: float) -> float:
    """The least width of 1, 2 or 5 times a power of ten that is not below `least`."""
    if least <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= least * (1 - 1e-9))
