"""An open loop keeps time whatever becomes of its requests."""

from __future__ import annotations

import asyncio
import itertools
import random
import time

import numpy as np
from loadtest.arrivals import arrivals, constant, poisson

EVERY_S = 0.02
COUNT = 40


async def test_times_are_those_of_the_gaps_however_late_whoever_asks_is() -> None:
    schedule = zip(itertools.repeat(EVERY_S, COUNT), range(COUNT), strict=True)
    due = []
    async for due_s, number in arrivals(schedule):
        due.append(due_s)
        if number == 3:
            time.sleep(10 * EVERY_S)  # noqa: ASYNC251  the whole process stands still, its clock must not
    assert np.allclose(np.diff(due), EVERY_S)


async def test_what_was_missed_comes_at_once() -> None:
    schedule = zip(itertools.repeat(EVERY_S, COUNT), range(COUNT), strict=True)
    late = []
    async for due_s, number in arrivals(schedule):
        late.append(time.perf_counter() - due_s)
        if number == 3:
            time.sleep(10 * EVERY_S)  # noqa: ASYNC251  as above
    assert late[4] > 8 * EVERY_S
    assert all(after < before for before, after in itertools.pairwise(late[4:12]))
    assert min(late) >= 0


async def test_two_clocks_do_not_wait_for_each_other() -> None:
    async def due(count: int) -> list[float]:
        schedule = zip(itertools.repeat(EVERY_S, count), range(count), strict=True)
        return [at_s async for at_s, _ in arrivals(schedule)]

    one, other = await asyncio.gather(due(10), due(10))
    assert abs(one[-1] - other[-1]) < EVERY_S


def test_poisson_arrivals_have_their_rate_and_the_spread_of_an_exponential() -> None:
    gaps = list(itertools.islice(poisson(5.0, random.Random(0)), 20_000))
    assert abs(np.mean(gaps) - 0.2) < 0.01
    assert abs(np.std(gaps) / np.mean(gaps) - 1) < 0.05


def test_constant_arrivals_begin_anywhere_and_go_on_evenly() -> None:
    gaps = [list(itertools.islice(constant(5.0, random.Random(seed)), 5)) for seed in range(50)]
    assert all(each[1:] == [0.2] * 4 for each in gaps)
    firsts = [each[0] for each in gaps]
    assert min(firsts) < 0.05
    assert 0.15 < max(firsts) < 0.2
