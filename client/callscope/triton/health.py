"""Health checks of servers, in the background while somebody uses them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import Context
from time import monotonic
from typing import TYPE_CHECKING

from callscope.triton.breaker import State
from callscope.triton.endpoint import Endpoint

if TYPE_CHECKING:
    from callscope.triton.agreement import Agreement

IDLE_S = 10.0
"""How long checks go on after the last request."""
PROBE_TIMEOUT_S = 2.0

logger = logging.getLogger(__name__)


class Health:
    """Finds servers that hang, and those that are back.

    Args:
        endpoints: those to look at.
        agreement: asked before a server that was away gets requests again.
        changed: called when one goes or returns.
        probe_s: the time between two checks.
    """

    def __init__(
        self, endpoints: Sequence[Endpoint], agreement: Agreement, *, changed: Callable[[], None], probe_s: float
    ) -> None:
        self._endpoints, self._agreement, self._changed, self._probe_s = endpoints, agreement, changed, probe_s
        self._users, self._used = 0, 0.0
        self._away: set[Endpoint] = set()
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Check the servers' health during the block, and a while after it."""
        self._users += 1
        if self._task is None or self._task.done():
            # In a context of its own: it outlives whoever happens to be first, and with it that one's deadline.
            self._task = asyncio.create_task(self._watch(), context=Context())
        try:
            yield
        finally:
            self._users -= 1
            self._used = monotonic()

    async def close(self) -> None:
        """End the checks."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _watch(self) -> None:
        while self._users or monotonic() - self._used < IDLE_S:
            await asyncio.sleep(self._probe_s)
            await asyncio.gather(*(self._look_at(endpoint) for endpoint in self._endpoints))

    async def _look_at(self, endpoint: Endpoint) -> None:
        is_away = endpoint.breaker.state is not State.CLOSED or bool(endpoint.differs)
        if len(self._endpoints) == 1 and not is_away:
            return  # nobody else could take over: requests tell by themselves
        self._tell(endpoint, is_away=is_away)
        if await endpoint.wire.is_ready(PROBE_TIMEOUT_S):
            if is_away and await self._agreement.returns(endpoint):
                endpoint.breaker.end_pause()
                self._changed()
        elif not is_away:
            endpoint.breaker.fail()
            if endpoint.breaker.state is State.OPEN:
                endpoint.leave()
                self._changed()

    def _tell(self, endpoint: Endpoint, *, is_away: bool) -> None:
        """Log what is new."""
        if is_away and endpoint not in self._away:
            self._away.add(endpoint)
            logger.warning("%s is left out: %s.", endpoint.url, endpoint.differs or "it does not answer")
        elif not is_away and endpoint in self._away:
            self._away.discard(endpoint)
            logger.warning("%s is back.", endpoint.url)
