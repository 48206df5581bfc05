"""Several servers as one: each request goes to the one with the least to do, and to another if that one is lost."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import Any, TypeVar

from numpy.typing import NDArray

from callscope.errors import RequestFailed, ServerTimeout, ServerUnreachable
from callscope.triton.agreement import Agreement
from callscope.triton.attempts import note_wait
from callscope.triton.deadline import left_s
from callscope.triton.endpoint import Endpoint, Question
from callscope.triton.health import Health
from callscope.triton.transport import ServedModel, Tensors

Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)


class PoolTransport:
    """A transport over several; also over one, for its breaker and its limit.

    Args:
        endpoints: at least one; all have to serve the same models.
        probe_s: how often their health is checked while somebody uses the pool.
    """

    def __init__(self, endpoints: Sequence[Endpoint], *, probe_s: float = 1.0) -> None:
        self.endpoints = tuple(endpoints)
        self.url = ",".join(endpoint.url for endpoint in self.endpoints)
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._agreement = Agreement(self.endpoints, self.url)
        self._health = Health(self.endpoints, self._agreement, changed=self._wake_all, probe_s=probe_s)

    async def infer(
        self,
        model: str,
        inputs: Tensors,
        *,
        outputs: Sequence[str] | None = None,
        timeout_s: float | None = None,
        priority: int = 0,
    ) -> dict[str, NDArray[Any]]:
        """Run a model once, on any server: `Transport.infer`.

        Raises:
            ServersDiffer: they do not serve the same model.
        """
        return await self._ask(
            lambda wire: wire.infer(model, inputs, outputs=outputs, timeout_s=timeout_s, priority=priority), model
        )

    async def parameters(self, model: str) -> dict[str, str]:
        """The `parameters` of a model's config.pbtxt."""
        return await self._ask(lambda wire: wire.parameters(model), model)

    async def version(self, model: str) -> str:
        """The version of a model that answers its requests."""
        return await self._ask(lambda wire: wire.version(model), model)

    async def models(self) -> tuple[ServedModel, ...]:
        """What one server's repository holds, ready or not."""
        return await self._ask(lambda wire: wire.models())

    async def close(self) -> None:
        """Close the connections and end the health checks."""
        await self._health.close()
        await asyncio.gather(*(endpoint.wire.close() for endpoint in self.endpoints))

    async def _ask(self, question: Question[Answer], model: str = "") -> Answer:
        with self._health.watching():
            if model:
                await self._agreement.check(model)
            lost: set[Endpoint] = set()
            while True:
                endpoint = await self._free(model, lost)
                try:
                    return await endpoint.ask(question)
                except (ServerUnreachable, RequestFailed) as error:
                    if isinstance(error, RequestFailed):
                        if not error.passing:
                            raise
                        endpoint.note_fault(model)
                    lost.add(endpoint)
                    if not self._up(lost):
                        raise
                    logger.info("%s: a request for %s goes to another server.", endpoint.url, model or "its models")
                finally:
                    self._wake_next(endpoint)

    def _up(self, lost: set[Endpoint]) -> list[Endpoint]:
        return [endpoint for endpoint in self.endpoints if endpoint.is_up and endpoint not in lost]

    async def _free(self, model: str, lost: set[Endpoint]) -> Endpoint:
        """The least busy endpoint that takes a request, as soon as there is one.

        Raises:
            ServerUnreachable: all are away.
            ServerTimeout: the deadline came first.
        """
        waited = bool(self._waiting)  # who comes now lets those go first who wait
        while up := self._up(lost):
            whole = [endpoint for endpoint in up if not endpoint.has_fault(model)] or up
            free = [endpoint for endpoint in whole if endpoint.is_free]
            if free and not waited:
                return min(free, key=lambda endpoint: (endpoint.limit.load, endpoint.limit.outstanding))
            await self._turn(model)
            waited = False
        raise self._away()

    async def _turn(self, model: str) -> None:
        """Wait until some endpoint may have room."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        if not any(endpoint.is_up and endpoint.limit.is_starting for endpoint in self.endpoints):
            note_wait()
        left = left_s()
        try:
            async with asyncio.timeout(None if left == float("inf") else left):
                await turn
        except BaseException as error:
            if turn in self._waiting:
                self._waiting.remove(turn)
            else:  # called just as it gave up: the next one may have its place
                self._wake(1)
            if isinstance(error, TimeoutError):
                raise ServerTimeout(self.url, model, max(left, 0.0)) from None
            raise

    def _wake_next(self, endpoint: Endpoint) -> None:
        if endpoint.is_up and len(self.endpoints) == 1:
            self._wake(max(1, endpoint.limit.limit - endpoint.limit.outstanding))
        else:
            self._wake_all()

    def _wake_all(self) -> None:
        self._wake(len(self._waiting))

    def _wake(self, count: int) -> None:
        for _ in range(min(count, len(self._waiting))):
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)

    def _away(self) -> ServerUnreachable:
        """The error for a pool without a server; a single one's own says best what is wrong."""
        errors = [endpoint.error for endpoint in self.endpoints]
        if len(errors) == 1 and errors[0]:
            return errors[0]
        passing = any(error is None or error.passing for error in errors)
        why = [endpoint.differs or "they do not answer" for endpoint in self.endpoints]
        return ServerUnreachable(self.url, "; ".join(dict.fromkeys(why)), passing=passing)
