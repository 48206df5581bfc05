"""How many requests a server has at once: fewer when it refuses some, more again while it takes them all.

Slow start, additive increase, multiplicative decrease, as TCP does; for requests the idea is Netflix's
concurrency-limits. Without the slow start, ten clients that come together bury a server in work that it then refuses:
what is refused at the second model of a chain has cost the first.
"""

from __future__ import annotations

from dataclasses import dataclass, field

FIRST = 32
SHRINK = 0.8
LEAST = 1.0


@dataclass(slots=True)
class AdaptiveLimit:
    """A limit on outstanding requests that finds out by itself what a server takes.

    Args:
        most: what it never exceeds.
        first: where it begins; until something is refused, it doubles in a round.

    Attributes:
        outstanding: how many requests are at the server.
    """

    most: int
    first: int = FIRST
    outstanding: int = field(default=0, init=False)
    _limit: float = field(default=0.0, init=False)
    _sent: int = field(default=0, init=False)
    _shrunk_at: int = field(default=0, init=False)
    _starting: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        self._limit = float(min(self.first, self.most))

    @property
    def limit(self) -> int:
        """How many requests may be at the server."""
        return int(self._limit)

    @property
    def is_free(self) -> bool:
        """Whether one more may be sent."""
        return self.outstanding < self.limit

    @property
    def is_starting(self) -> bool:
        """Whether nothing was refused yet, and more may be allowed soon."""
        return self._starting and self.limit < self.most

    @property
    def load(self) -> float:
        """The share of the limit that is in use."""
        return self.outstanding / self.limit

    def begin(self) -> int:
        """A request is sent; its number, for `refused`."""
        self.outstanding += 1
        self._sent += 1
        return self._sent

    def end(self) -> None:
        """A request has ended, however it did."""
        self.outstanding -= 1

    def accepted(self) -> None:
        """The server answered a request; while the limit is in use, more are allowed: at the start one, later less.

        Later they come to about one more a round.
        """
        if self.outstanding >= self.limit:
            self._limit = min(float(self.most), self._limit + (1 if self._starting else 1 / self._limit))

    def refused(self, number: int) -> None:
        """The server refused a request, which is still counted as outstanding.

        It holds no more than the others that are there: so much the limit is at most. Beyond that it shrinks once for
        all that were sent before it last shrank.
        """
        self._starting = False
        limit = min(self._limit, self.outstanding - 1)
        if number > self._shrunk_at:
            limit *= SHRINK
            self._shrunk_at = self._sent
        self._limit = max(LEAST, limit)
