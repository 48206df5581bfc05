"""The search finds the capacity of a server that has one."""

from __future__ import annotations

import pytest
from loadtest.search import Search


def found(capacity: int, first: int, **settings: float) -> tuple[Search, int]:
    search = Search(first, **settings)  # type: ignore[arg-type]
    while (count := search.next()) is not None:
        search.tell(count, passed=count <= capacity)
    return search, search.passed


@pytest.mark.parametrize("capacity", [1, 2, 7, 24, 100, 1000])
@pytest.mark.parametrize("first", [1, 10, 200])
def test_it_finds_the_largest_count_that_passes(capacity: int, first: int) -> None:
    search, passed = found(capacity, first, most_trials=40)
    assert passed <= capacity < passed * search.resolution + 1


def test_it_needs_few_trials_from_a_first_count_of_the_right_size() -> None:
    search, passed = found(100, 60)
    assert len(search.trials) <= 8
    assert 85 <= passed <= 100


def test_nothing_passes_where_not_even_one_does() -> None:
    assert found(0, 8)[1] == 0


def test_a_count_that_passes_above_one_that_failed_is_not_believed() -> None:
    search = Search(10)
    search.tell(10, passed=True)
    search.tell(15, passed=False)
    search.tell(20, passed=True)
    assert search.passed == 10
