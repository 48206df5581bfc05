"""Sets of stretches of time, as sorted lists of (start_s, end_s)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

Interval = tuple[float, float]


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time without double counting: sorted, disjoint, stretches that touch joined."""
    joined: list[Interval] = []
    for start_s, end_s in sorted(intervals):
        if joined and start_s <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end_s))
        else:
            joined.append((start_s, end_s))
    return joined


def total_s(intervals: Iterable[Interval]) -> float:
    """Seconds in disjoint intervals."""
    return sum(end_s - start_s for start_s, end_s in intervals)


def gaps(intervals: Iterable[Interval], duration_s: float) -> list[Interval]:
    """What the intervals leave of [0, duration_s], in order, without empty stretches."""
    edges = [0.0, *(edge for interval in union(intervals) for edge in interval), duration_s]
    return [(start_s, end_s) for start_s, end_s in zip(edges[::2], edges[1::2], strict=True) if end_s > start_s]


def shared(sets: Sequence[Sequence[Interval]]) -> list[Interval]:
    """The time that lies in two or more of the sets, each set being disjoint."""
    edges = sorted(
        edge
        for intervals in sets
        for start_s, end_s in intervals
        if end_s > start_s
        for edge in ((start_s, 1), (end_s, -1))
    )
    counts = accumulate(step for _, step in edges)
    pieces = zip(pairwise(time_s for time_s, _ in edges), counts, strict=False)
    return union(piece for piece, count in pieces if count > 1 and piece[1] > piece[0])
