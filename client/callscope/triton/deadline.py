"""How long the work at hand may still take, known to every request that is made for it.

with deadline(600):
    await analyze(...)  # no request, wait or retry in here outlives the ten minutes
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

LEAST_S = 0.001
"""What a request is given whose time is up: no wire takes nothing for a deadline."""

_end: ContextVar[float] = ContextVar("deadline", default=math.inf)


@contextmanager
def deadline(seconds: float | None) -> Iterator[None]:
    """Give what the block does so many seconds; within another deadline the earlier one counts. None sets none.

    Tasks that the block starts inherit it.
    """
    end = math.inf if seconds is None else monotonic() + seconds
    token = _end.set(min(end, _end.get()))
    try:
        yield
    finally:
        _end.reset(token)


def left_s() -> float:
    """The seconds that are left: infinite without a deadline, negative after it."""
    return _end.get() - monotonic()


def within_s(limit_s: float) -> float:
    """`limit_s`, or what is left of the deadline if that is less."""
    return max(LEAST_S, min(limit_s, left_s()))
