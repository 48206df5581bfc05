"""What the figures of many calls have in common, and which calls stand apart."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from callscope.report.overview.brief import Brief
from callscope.when import DATE_KEYS

MOST_BINS = 16
FENCE = 3.0
"""How many spreads between the quartiles beyond them values share the outermost bar (Tukey's outer fences)."""
FAR = 3.5
"""A robust z-score beyond which a value stands apart (Iglewicz and Hoaglin, 1993)."""
TO_SIGMA = 1.4826
"""Median absolute deviation of a normal distribution -> its standard deviation."""
FEWEST = 8
"""Values without which nothing stands apart."""
DAYS = 45
"""A span up to which trends go by day; beyond it by week."""
FIRST_KEYS = ("agent", "team", "queue")
"""Metadata whose names begin so are compared before all others."""


@dataclass(frozen=True, slots=True)
class Bin:
    """A bar of a histogram: the calls whose value lies in [low, high), in the last one also at `high`.

    Attributes:
        low: None in a first bar that holds everything below `high`.
        high: None in a last bar that holds everything from `low` on.
    """

    low: float | None
    high: float | None
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
    """A call whose value stands apart from the median; `z` is its robust z-score."""

    call: int
    value: float
    median: float
    z: float


@dataclass(frozen=True, slots=True)
class Period:
    """A day or a week that starts then: how many calls have the figure in it, their median and quartiles."""

    start: date
    count: int
    low: float
    median: float
    high: float


def distribution(values: Sequence[float | None], *, whole: bool = False) -> Distribution:
    """A histogram with bars of a round width, at most sixteen of them and two for what lies far out.

    Args:
        values: one a call.
        whole: whether they are counts, whose bars are no narrower than 1 and never share a count.
    """
    known = sorted(value for value in values if value is not None)
    if not known:
        return Distribution((), None, None, len(values))
    quartiles = _quartiles(known)
    low, high = _fenced(known, quartiles)
    width = _round_width((high - low) / MOST_BINS, whole=whole)
    first, last = _place(low, width), _place(high, width)
    if last > first and not whole and math.isclose(last * width, high, rel_tol=1e-9, abs_tol=1e-12):
        last -= 1  # the highest value ends the last bar
    held: dict[int, list[int]] = {place: [] for place in range(first, last + 1)}
    for call, value in enumerate(values):
        if value is not None:
            held[min(max(_place(value, width), first), last)].append(call)
    bins = tuple(
        Bin(
            None if place == first and low > known[0] else place * width,
            None if place == last and high < known[-1] else (place + 1) * width,
            tuple(calls),
        )
        for place, calls in held.items()
    )
    return Distribution(bins, statistics.median(known), quartiles, len(values) - len(known))


def outliers(values: Sequence[float | None], least: float = 0.0) -> list[Outlier]:
    """The calls that stand apart.

    Args:
        values: one a call.
        least: a spread (of one standard deviation) below which differences are of no interest.
    """
    known = [value for value in values if value is not None]
    if len(known) < FEWEST:
        return []
    median = statistics.median(known)
    spread = max(TO_SIGMA * statistics.median(abs(value - median) for value in known), least)
    if not spread:
        return []
    scored = ((call, value, (value - median) / spread) for call, value in enumerate(values) if value is not None)
    return [Outlier(call, value, median, z) for call, value, z in scored if abs(z) > FAR]


def is_by_week(briefs: Sequence[Brief]) -> bool:
    """Whether the calls span too long for trends by day."""
    dates = [brief.date for brief in briefs]
    return bool(dates) and max(dates) - min(dates) > timedelta(days=DAYS)


def periods(briefs: Sequence[Brief], figure: str) -> list[Period]:
    """A figure by day, or by week (from Monday) where the calls span more than 45 days. Days are those of the calls."""
    by_week = is_by_week(briefs)
    held: dict[date, list[float]] = {}
    for brief in briefs:
        if (value := brief.figures[figure]) is not None:
            day = brief.date.date()
            held.setdefault(day - timedelta(days=day.weekday()) if by_week else day, []).append(value)
    return [
        Period(start, len(values), low, statistics.median(values), high)
        for start, values in sorted(held.items())
        for low, high in [_quartiles(values)]
    ]


def groups(briefs: Sequence[Brief]) -> Mapping[str, Mapping[str, tuple[int, ...]]]:
    """Keys of metadata by which calls can be compared: those with several values, most of them of several calls.

    Agents, teams and queues come first, and in each key the values with most calls.
    """
    held: dict[str, dict[str, list[int]]] = {}
    for call, brief in enumerate(briefs):
        for key, value in brief.metadata.items():
            held.setdefault(key, {}).setdefault(value, []).append(call)
    return {
        key: {
            value: tuple(held[key][value]) for value in sorted(held[key], key=lambda one: (-len(held[key][one]), one))
        }
        for key in sorted(held, key=_rank)
        if key not in DATE_KEYS and _compares(held[key])
    }


def _rank(key: str) -> int:
    ranks = (rank for rank, name in enumerate(FIRST_KEYS) if key.lower().startswith(name))
    return next(ranks, len(FIRST_KEYS))


def _compares(values: Mapping[str, Sequence[int]]) -> bool:
    return len(values) > 1 and sum(len(calls) > 1 for calls in values.values()) > len(values) / 2


def _fenced(known: Sequence[float], quartiles: tuple[float, float]) -> tuple[float, float]:
    """The range that bars are drawn for: all of it, unless a few values far out would press the others together."""
    reach = FENCE * (quartiles[1] - quartiles[0])
    if not reach:
        return known[0], known[-1]
    return max(known[0], quartiles[0] - reach), min(known[-1], quartiles[1] + reach)


def _place(value: float, width: float) -> int:
    """The bar of a value; one on an edge is not moved by the last bit of a division."""
    return math.floor(value / width + 1e-9)


def _quartiles(values: Sequence[float]) -> tuple[float, float]:
    if len(values) == 1:
        return values[0], values[0]
    first, _, third = statistics.quantiles(values, n=4, method="inclusive")
    return first, third


def _round_width(least: float, *, whole: bool) -> float:
    """The least width of 1, 2 or 5 times a power of ten that is not below `least`."""
    if least <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    width = next(step * power for step in (1, 2, 5, 10) if step * power >= least * (1 - 1e-9))
    return max(width, 1.0) if whole else width
