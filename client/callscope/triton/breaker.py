"""A circuit breaker: an endpoint that fails again and again is left alone for a while, then tried with one request.

CLOSED     requests pass; so many failures in a row open it
OPEN       none passes; when its pause is over, or a health check has passed, it is half open
HALF_OPEN  one request passes, the trial: an answer closes it, a failure opens it for longer
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from random import uniform
from time import monotonic

PAUSE_GROWTH = 2.0
JITTER = 0.5
"""A pause is between half of its length and all of it, so that clients do not return together."""


class State(Enum):
    """What a breaker does with requests."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(slots=True, weakref_slot=True)
class Breaker:
    """Whether an endpoint is to be asked, by what became of the last requests.

    Args:
        failures: how many in a row open it.
        pause_s: how long it stays open at first; each failed trial doubles that.
        longest_pause_s: the longest that becomes.
        clock: seconds of any origin.
        jitter: given 1 - JITTER and 1, a factor for the pause.
    """

    failures: int = 3
    pause_s: float = 1.0
    longest_pause_s: float = 30.0
    clock: Callable[[], float] = monotonic
    jitter: Callable[[float, float], float] = uniform
    _failed: int = field(default=0, init=False)
    _opened: bool = field(default=False, init=False)
    _until: float = field(default=0.0, init=False)
    _next_pause_s: float = field(default=0.0, init=False)
    _trying: bool = field(default=False, init=False)

    @property
    def state(self) -> State:
        """Its state at this moment; OPEN becomes HALF_OPEN by time alone."""
        if not self._opened:
            return State.CLOSED
        return State.HALF_OPEN if self.clock() >= self._until else State.OPEN

    @property
    def permits(self) -> bool:
        """Whether a request may be sent; while half open, one at a time."""
        return self.state is State.CLOSED or (self.state is State.HALF_OPEN and not self._trying)

    def begin(self) -> None:
        """A request that was permitted is being sent."""
        self._trying = self._trying or self.state is State.HALF_OPEN

    def succeed(self) -> None:
        """The endpoint answered. An answer to what was sent before the breaker opened does not close it."""
        if self.state is State.OPEN:
            return
        self._failed, self._opened, self._trying, self._next_pause_s = 0, False, False, 0.0

    def fail(self) -> None:
        """The endpoint did not answer. While it is open, what was sent before counts no more."""
        if self.state is State.OPEN:
            return
        self._failed += 1
        if self._opened or self._failed >= self.failures:
            self.trip()

    def abandon(self) -> None:
        """A request ended that says nothing of the endpoint: it was cancelled."""
        self._trying = False

    def trip(self) -> None:
        """Open, for longer than the last time if that was without an answer since."""
        pause_s = self._next_pause_s or self.pause_s
        self._next_pause_s = min(pause_s * PAUSE_GROWTH, self.longest_pause_s)
        self._opened, self._trying, self._failed = True, False, 0
        self._until = self.clock() + pause_s * self.jitter(1 - JITTER, 1.0)

    def end_pause(self) -> None:
        """A health check passed: the next request is the trial."""
        if self._opened:
            self._until = min(self._until, self.clock())
