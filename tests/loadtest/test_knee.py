"""Knees of curves whose knee is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from loadtest.knee import knee, plateau

CAPACITY = 40.0
LOADS = [CAPACITY * share for share in np.arange(0.02, 0.99, 0.02)]


def test_a_queue_with_random_service_has_its_knee_at_half_of_its_capacity() -> None:
    latencies_s = [1 / (CAPACITY - load) for load in LOADS]
    assert LOADS[knee(LOADS, latencies_s)] == pytest.approx(0.5 * CAPACITY, abs=0.02 * CAPACITY)


def test_a_queue_with_constant_service_has_it_at_0586() -> None:
    shares = [load / CAPACITY for load in LOADS]
    latencies_s = [(1 + rho / (2 * (1 - rho))) / CAPACITY for rho in shares]
    assert LOADS[knee(LOADS, latencies_s)] == pytest.approx((2 - math.sqrt(2)) * CAPACITY, abs=0.02 * CAPACITY)


def test_a_stall_at_a_low_load_does_not_move_it() -> None:
    latencies_s = [1 / (CAPACITY - load) for load in LOADS]
    undisturbed = knee(LOADS, latencies_s)
    latencies_s[undisturbed] *= 1.4
    latencies_s[3] *= 30
    assert abs(knee(LOADS, latencies_s) - undisturbed) <= 3


def test_a_load_that_nothing_answered_is_none() -> None:
    assert knee([1.0, 2.0, 3.0], [0.1, 0.11, math.nan]) == 1
    with pytest.raises(ValueError, match="empty"):
        knee([1.0], [math.nan])


def test_a_plateau_begins_where_the_rest_gains_little() -> None:
    assert plateau([1.0, 1.2, 1.49, 1.5, 1.48], tolerance=0.03) == 2
    assert plateau([1.0, 0.99, 0.98], tolerance=0.03) == 0
