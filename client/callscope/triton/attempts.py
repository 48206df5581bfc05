"""How often requests were tried, counted for whoever wants to know.

with counted() as tally:
    await transcribe(...)
step.attempts = tally.most
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """What happened to the requests of a block.

    Attributes:
        requests: how many were made.
        attempts: how often they were tried, all together.
        most: how often the unluckiest was; 1 where there was none.
        waited: how often one found no room at a server and stood in line here.
    """

    requests: int = 0
    attempts: int = 0
    most: int = 1
    waited: int = 0

    @property
    def again(self) -> int:
        """How many attempts were not the first."""
        return self.attempts - self.requests

    def add(self, attempts: int) -> None:
        """Count one request that is done, well or not."""
        self.requests += 1
        self.attempts += attempts
        self.most = max(self.most, attempts)


_tallies: ContextVar[tuple[Tally, ...]] = ContextVar("tallies", default=())


@contextmanager
def counted() -> Iterator[Tally]:
    """Count the requests of the block, those of the tasks that it starts included; blocks may be nested."""
    tally = Tally()
    token = _tallies.set((*_tallies.get(), tally))
    try:
        yield tally
    finally:
        _tallies.reset(token)


def note(attempts: int) -> None:
    """Add a request to every tally that is being kept."""
    for tally in _tallies.get():
        tally.add(attempts)


def note_wait() -> None:
    """Tell every tally that is being kept that a request stands in line."""
    for tally in _tallies.get():
        tally.waited += 1
