"""The limit on outstanding requests, against a server that takes so many and refuses the rest."""

from __future__ import annotations

from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from callscope.triton.limit import AdaptiveLimit


def serve(limit: AdaptiveLimit, capacity: int, rounds: int) -> list[int]:
    """Keep a server as full as the limit allows; how many were at it, round by round."""
    at_server: deque[int] = deque()
    seen = []
    for _ in range(rounds):
        while limit.is_free:
            number = limit.begin()
            if len(at_server) < capacity:
                at_server.append(number)
            else:
                limit.refused(number)
                limit.end()
        seen.append(limit.outstanding)
        at_server.popleft()
        limit.accepted()
        limit.end()
    return seen


@settings(deadline=None, max_examples=40)
@given(capacity=st.integers(1, 60), most=st.integers(1, 300))
def test_it_finds_what_a_server_takes_and_keeps_near_it(capacity: int, most: int) -> None:
    limit = AdaptiveLimit(most)
    seen = serve(limit, capacity, 2000)[-500:]
    assert max(seen) <= min(capacity, most)
    assert sum(seen) / len(seen) >= 0.75 * min(capacity, most)


def test_refusals_tell_at_once_how_many_a_server_holds() -> None:
    limit = AdaptiveLimit(100, first=100)
    numbers = [limit.begin() for _ in range(50)]
    for number in numbers[10:]:
        limit.refused(number)
        limit.end()
    assert limit.outstanding == 10
    assert limit.limit == 10


def test_requests_refused_together_shrink_it_once_below_what_is_held() -> None:
    limit = AdaptiveLimit(100, first=100)
    numbers = [limit.begin() for _ in range(100)]
    limit.refused(numbers[50])
    limit.refused(numbers[51])
    assert limit.limit == 79
    limit.refused(limit.begin())
    assert limit.limit == 63


@given(st.lists(st.sampled_from(["accepted", "refused"]), max_size=200), st.integers(1, 50))
def test_it_stays_between_one_and_its_most(events: list[str], most: int) -> None:
    limit = AdaptiveLimit(most)
    for event in events:
        number = limit.begin()
        limit.accepted() if event == "accepted" else limit.refused(number)
        limit.end()
        assert 1 <= limit.limit <= most
        assert limit.outstanding == 0


def test_an_unused_limit_does_not_grow() -> None:
    limit = AdaptiveLimit(10)
    taken = [limit.begin() for _ in range(6)]
    limit.refused(taken[-1])
    for _ in taken:
        limit.end()
    before = limit.limit
    assert before == 4
    for _ in range(50):
        limit.begin()
        limit.accepted()
        limit.end()
    assert limit.limit == before


def test_it_starts_low_and_doubles_in_a_round_until_something_is_refused() -> None:
    limit, seen = AdaptiveLimit(256, first=4), []
    for _ in range(4):
        together = limit.limit
        for _ in range(together):
            limit.begin()
        for _ in range(together):
            limit.accepted()
            limit.end()
            while limit.is_free:  # who waits takes the place
                limit.begin()
        seen.append(limit.limit)
        while limit.outstanding:
            limit.end()
        assert limit.is_starting
    assert seen == [8, 16, 32, 64]
    limit.refused(limit.begin())
    assert not limit.is_starting
    limit.end()
    before = limit.limit
    while limit.is_free:
        limit.begin()
    for _ in range(before):
        limit.accepted()
    assert limit.limit <= before + 1


def test_a_limit_that_has_reached_its_most_starts_no_more() -> None:
    limit = AdaptiveLimit(5, first=4)
    assert limit.is_starting
    while limit.is_free:
        limit.begin()
    limit.accepted()
    assert limit.limit == 5
    assert not limit.is_starting
