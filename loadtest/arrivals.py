"""The clock of an open loop: when requests are due, whatever becomes of the earlier ones."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
Gaps = Iterator[float]
"""Seconds between one arrival and the next; the first is counted from the start."""


def poisson(rate: float, chance: random.Random) -> Gaps:
    """Independent arrivals, `rate` a second on average."""
    while True:
        yield chance.expovariate(rate)


def constant(rate: float, chance: random.Random) -> Gaps:
    """Arrivals as even as a metronome's, `rate` a second; the first at any time of the first period."""
    yield chance.random() / rate
    while True:
        yield 1 / rate


PATTERNS: dict[str, Callable[[float, random.Random], Gaps]] = {"poisson": poisson, "constant": constant}


async def arrivals(schedule: Iterable[tuple[float, Item]]) -> AsyncIterator[tuple[float, Item]]:
    """Yield each item when its time has come, with that time (of `time.perf_counter`).

    A time depends on the gaps alone: if whoever iterates is late, the arrivals that were missed come at once, each with
    the time at which it was due, so that waiting counts for their latency.

    Args:
        schedule: seconds since the one before, and what arrives then.
    """
    due_s = time.perf_counter()
    for gap_s, item in schedule:
        due_s += gap_s
        await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
        yield due_s, item
