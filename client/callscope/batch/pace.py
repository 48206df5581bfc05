"""How many calls are worked on at once: one more while the servers take all that is sent, fewer when they do not.

Additive increase, multiplicative decrease, as for the requests themselves (`triton/limit.py`); what is watched is the
share of a call's requests that were refused, or stood in line before they could be sent.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from callscope.batch.memory import memory_left_bytes
from callscope.triton.attempts import Tally

CALL_BYTES = 256 << 20
"""What one more call may need: an hour of stereo telephone sound is prepared in 176 MiB, and its sound lies on disk."""
CALLS_A_CORE = 2
"""One of them decodes while another waits for its words."""
FIRST = 2
STRAINED = 0.1
"""The share of requests refused or delayed from which a call says that it was one too many."""
SHRINK = 0.75
LEAST = 1.0


def most_calls() -> int:
    """The ceiling where none is given."""
    return CALLS_A_CORE * len(os.sched_getaffinity(0))


def has_room() -> bool:
    """Whether there is memory for one more call."""
    left = memory_left_bytes()
    return left is None or left >= CALL_BYTES


@dataclass(slots=True)
class Pace:
    """A gate that calls pass; it finds out how many the servers and this machine take.

    Args:
        most: what it never exceeds.
        first: where it begins.
        has_room: asked before each call that would not be the only one.

    Attributes:
        working: how many have begun and not ended.
    """

    most: int
    first: int = FIRST
    has_room: Callable[[], bool] = has_room
    working: int = field(default=0, init=False)
    _limit: float = field(default=0.0, init=False)
    _begun: int = field(default=0, init=False)
    _shrunk_at: int = field(default=0, init=False)
    _waiting: int = field(default=0, init=False)
    _changed: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def __post_init__(self) -> None:
        self._limit = float(min(self.first, self.most))

    @property
    def limit(self) -> int:
        """How many may be worked on now."""
        return int(self._limit)

    async def begin(self) -> int:
        """Wait until one more may be worked on; its number, for `end`."""
        self._waiting += 1
        try:
            while not self._is_free():
                self._changed.clear()
                await self._changed.wait()
        finally:
            self._waiting -= 1
        self.working += 1
        self._begun += 1
        return self._begun

    def end(self, number: int, requests: Tally) -> None:
        """A call has ended, however it did; what became of its requests says whether it was one too many.

        Calls that began before the last time it shrank do not shrink it again: they only saw the same crowd.
        """
        was_full = self._waiting > 0 or self.working >= self.limit
        self.working -= 1
        if (requests.again + requests.waited) > STRAINED * max(requests.requests, 1):
            if number > self._shrunk_at:
                self._limit = max(LEAST, self._limit * SHRINK)
                self._shrunk_at = self._begun
        elif was_full:
            step = 1 / self._limit if self._shrunk_at else 1.0  # twice as many a round, until there were too many
            self._limit = min(float(self.most), self._limit + step)
        self._changed.set()

    def _is_free(self) -> bool:
        return not self.working or (self.working < self.limit and self.has_room())
