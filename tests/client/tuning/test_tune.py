"""The search on servers whose best way is known, and what it does where there is none."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from callscope.tuning.trial import Seen
from callscope.tuning.tune import Outcome, Try, tune
from callscope.tuning.variant import Choice

FIRST = Choice(instances=1, threads=2, max_batch_size=16, queue_delay_ms=10.0)


def machine(rate: Callable[[Choice], float], swing: float = 0.0) -> Try:
    """A machine whose throughput is known, and swings from one trial to the next."""
    swings = itertools.cycle((1 + swing, 1 - swing, 1 + swing / 2, 1 - swing / 2, 1.0))

    def try_out(choice: Choice) -> Seen:
        per_s = rate(choice) * next(swings)
        return Seen(per_s, 16 / per_s)

    return try_out


def search(rate: Callable[[Choice], float], swing: float = 0.0, **settings: float | None) -> Outcome:
    return tune(FIRST, machine(rate, swing), cores=2, rounds=3, **settings)  # type: ignore[arg-type]


def rate_of(choice: Choice) -> float:
    """Two instances, batches of 32 and a delay of 2 ms are each better than the rest."""
    rate = 10.0 * (1.3 if choice.instances == 2 and choice.threads == 1 else 1.0)
    rate *= {8: 0.8, 16: 1.0, 32: 1.2}[choice.max_batch_size]
    return rate * (1.25 if choice.queue_delay_ms == 2.0 else 1.0)


def test_it_finds_the_best_of_every_setting() -> None:
    assert search(rate_of).best == Choice(2, 1, 32, 2.0)


def test_it_finds_it_beside_other_work_on_the_machine() -> None:
    assert search(rate_of, swing=0.03).best == Choice(2, 1, 32, 2.0)


@pytest.mark.parametrize("swing", [0.0, 0.02, 0.1, 0.3])
def test_the_present_way_stays_where_nothing_is_better(swing: float) -> None:
    assert search(lambda _: 10.0, swing).best == FIRST


def test_a_gain_within_the_noise_is_none() -> None:
    assert search(lambda choice: 10.4 if choice.max_batch_size == 32 else 10.0).best == FIRST
    assert search(lambda choice: 11.5 if choice.max_batch_size == 32 else 10.0, swing=0.2).best == FIRST


def test_no_more_threads_are_tried_than_there_are_cores() -> None:
    for each in search(rate_of).compared:
        assert each.choice.instances * each.choice.threads <= 2


def test_what_breaks_the_budget_is_no_choice() -> None:
    def try_out(choice: Choice) -> Seen:
        return Seen(rate_of(choice), 5.0 if choice.max_batch_size == 32 else 0.5)

    assert tune(FIRST, try_out, cores=2, rounds=2, p95_s=1.0).best == Choice(2, 1, 16, 2.0)


def test_a_way_in_budget_is_better_than_a_present_one_that_is_not() -> None:
    def try_out(choice: Choice) -> Seen:
        return Seen(9.0 if choice.max_batch_size == 8 else 10.0, 0.5 if choice.max_batch_size == 8 else 5.0)

    assert tune(FIRST, try_out, cores=2, rounds=2, p95_s=1.0).best.max_batch_size == 8


def test_nothing_in_budget_leaves_the_present_way() -> None:
    assert tune(FIRST, machine(rate_of), cores=2, rounds=2, p95_s=0.0).best == FIRST
