"""Sets of stretches of time."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscope.analysis.intervals import gaps, shared, total_s, union

GRID_S = 0.25
intervals = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 12)).map(lambda d: (d[0] * GRID_S, (d[0] + d[1]) * GRID_S)),
    max_size=20,
)


def cells(drawn: list[tuple[float, float]]) -> set[int]:
    return {cell for start, end in drawn for cell in range(round(start / GRID_S), round(end / GRID_S))}


def test_intervals_that_touch_are_joined() -> None:
    assert union([(2, 3), (0, 1), (1, 2)]) == [(0, 3)]


def test_gaps_include_the_beginning_and_the_end() -> None:
    assert gaps([(1, 2), (4, 5)], 9) == [(0, 1), (2, 4), (5, 9)]


def test_a_call_without_speech_is_one_gap() -> None:
    assert gaps([], 9) == [(0, 9)]


@given(intervals)
def test_a_union_covers_the_same_time_once(drawn: list[tuple[float, float]]) -> None:
    joined = union(drawn)
    assert cells(joined) == cells(drawn)
    assert total_s(joined) == pytest.approx(len(cells(drawn)) * GRID_S)
    assert all(before[1] < after[0] for before, after in pairwise(joined))


@given(intervals, intervals, intervals)
def test_shared_time_is_what_at_least_two_sets_cover(
    first: list[tuple[float, float]], second: list[tuple[float, float]], third: list[tuple[float, float]]
) -> None:
    sets = [union(first), union(second), union(third)]
    a, b, c = map(cells, sets)
    assert cells(shared(sets)) == (a & b) | (a & c) | (b & c)
