"""One of the servers that share the work: how much it has to do, and whether it is to be given more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeVar

from callscope.errors import ServerBusy, ServerTimeout, ServerUnreachable, TritonError
from callscope.telemetry.metrics import watch_breaker
from callscope.triton.breaker import Breaker, State
from callscope.triton.limit import AdaptiveLimit
from callscope.triton.transport import Wire

Answer = TypeVar("Answer")
Question = Callable[[Wire], Coroutine[Any, Any, Answer]]

MOST_OUTSTANDING = 256
FAULT_S = 10.0
"""How long a model that failed by the server's fault is asked for elsewhere, where it can be."""


@dataclass(slots=True, eq=False)
class Endpoint:
    """A server behind its breaker and its limit.

    Attributes:
        wire: the transport to it.
        breaker: whether it is to be asked at all.
        limit: how many requests it takes at once.
        differs: why it must not be asked, although it answers; empty when it may.
        error: why the last request did not reach it.
    """

    wire: Wire
    breaker: Breaker = field(default_factory=Breaker)
    limit: AdaptiveLimit = field(default_factory=lambda: AdaptiveLimit(MOST_OUTSTANDING))
    differs: str = ""
    error: ServerUnreachable | None = None
    _asked: set[asyncio.Task[Any]] = field(default_factory=set, init=False)
    _faults: dict[str, float] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        watch_breaker(self.url, self.breaker)

    @property
    def url(self) -> str:
        """The server's address."""
        return self.wire.url

    @property
    def is_up(self) -> bool:
        """Whether requests are for it, at once or when it has room."""
        return not self.differs and self.breaker.state is not State.OPEN

    @property
    def is_free(self) -> bool:
        """Whether it takes a request at once."""
        return self.is_up and self.breaker.permits and self.limit.is_free

    def note_fault(self, model: str) -> None:
        """The server could not run the model, and would not run another request for it."""
        self._faults[model] = monotonic() + FAULT_S

    def has_fault(self, model: str) -> bool:
        """Whether that was seen lately."""
        return self._faults.get(model, 0.0) > monotonic()

    async def ask(self, question: Question[Answer]) -> Answer:
        """Ask the server, and learn from what becomes of it.

        Raises:
            TritonError: what the question raises; `ServerUnreachable` also where `leave` was called meanwhile.
        """
        number = self.limit.begin()
        self.breaker.begin()
        try:
            answer = await self._leaving(question)
        except ServerBusy:
            self.limit.refused(number)
            self.breaker.succeed()
            raise
        except ServerUnreachable as error:
            self.error = error
            self.breaker.fail()
            raise
        except ServerTimeout:  # the deadline may have been too short for any server; health checks find one that hangs
            self.breaker.abandon()
            raise
        except TritonError:
            self.breaker.succeed()
            raise
        except BaseException:
            self.breaker.abandon()
            raise
        else:
            self.limit.accepted()
            self.breaker.succeed()
            return answer
        finally:
            self.limit.end()

    def leave(self) -> None:
        """Let go of every request that is at the server: each raises `ServerUnreachable`."""
        for task in self._asked:
            task.cancel()

    async def _leaving(self, question: Question[Answer]) -> Answer:
        task = asyncio.create_task(question(self.wire))
        self._asked.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
            raise ServerUnreachable(self.url, "its health checks fail", passing=True) from None
        finally:
            self._asked.discard(task)
