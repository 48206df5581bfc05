"""Requests tried again, where that is safe and may help: the server refused for now, or was not there.

Inference changes nothing on a server, so that any request may be sent twice. What would fail the same way again (a bad
request, a missing model, another contract) is never tried again, nor what ran into its deadline.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from random import uniform
from time import monotonic
from typing import Any, TypeVar

from numpy.typing import NDArray

from callscope.errors import RequestFailed, ServerBusy, ServerTimeout, ServerUnreachable
from callscope.telemetry.metrics import RETRIES
from callscope.triton.attempts import note
from callscope.triton.deadline import left_s
from callscope.triton.transport import ServedModel, Tensors, Transport

Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)

Passing = ServerBusy | ServerTimeout | ServerUnreachable | RequestFailed
PASSING = (ServerBusy, ServerTimeout, ServerUnreachable, RequestFailed)
"""What the next attempt may not meet."""


@dataclass(frozen=True, slots=True)
class Policy:
    """When to try again.

    Attributes:
        attempts: how often a request is tried while no server can be reached.
        first_attempts: the same before any server has answered, where the address is likelier to be wrong.
        fault_attempts: the same where a server answers that it could not run the model, by no fault of the request.
        pause_s: the pause after the first attempt; each next one is twice as long.
        longest_pause_s: the longest a pause becomes.
        busy_pause_s: the pause after the first attempt where the server is there and full.
        longest_busy_pause_s: the longest that becomes.
        late_attempts: how often a request is tried that is not answered within its timeout.
        patience_s: how long a request is tried in all.
    """

    attempts: int = 6
    first_attempts: int = 2
    fault_attempts: int = 4
    pause_s: float = 0.2
    longest_pause_s: float = 5.0
    busy_pause_s: float = 0.02
    longest_busy_pause_s: float = 0.5
    late_attempts: int = 1
    patience_s: float = 600.0

    @classmethod
    def for_batches(cls, patience_s: float) -> Policy:
        """Waits so long for servers that are away, also at the very first; what comes too late is tried three times."""
        return cls(
            attempts=sys.maxsize,
            first_attempts=sys.maxsize,
            longest_pause_s=10.0,
            late_attempts=3,
            patience_s=patience_s,
        )

    def pause_after(self, attempt: int, error: Passing) -> float:
        """Seconds until the next attempt, between half of the full pause and all of it, by chance."""
        first_s, longest_s = self.pause_s, self.longest_pause_s
        if isinstance(error, ServerBusy):
            first_s, longest_s = self.busy_pause_s, self.longest_busy_pause_s
        full_s = min(first_s * 2.0 ** (min(attempt, 32) - 1), longest_s)
        return full_s * uniform(0.5, 1.0)  # noqa: S311  so that clients do not come back together

    def allows(self, attempt: int, error: Passing, *, answered: bool) -> bool:
        """Whether another attempt may follow this one."""
        if isinstance(error, ServerBusy):
            return True
        if isinstance(error, RequestFailed):
            return error.passing and attempt < self.fault_attempts
        if isinstance(error, ServerTimeout):
            return attempt < self.late_attempts
        return error.passing and attempt < (self.attempts if answered else self.first_attempts)


class RetryingTransport:
    """A transport that tries again.

    Args:
        inner: the transport it asks.
        policy: when to try again.
    """

    def __init__(self, inner: Transport, policy: Policy | None = None) -> None:
        self._inner, self._policy = inner, policy or Policy()
        self._answered = False
        self.url = inner.url

    async def infer(
        self,
        model: str,
        inputs: Tensors,
        *,
        outputs: Sequence[str] | None = None,
        timeout_s: float | None = None,
        priority: int = 0,
    ) -> dict[str, NDArray[Any]]:
        """Run a model once, and again if need be: `Transport.infer`. `timeout_s` is for each attempt."""
        return await self._tried(
            model,
            lambda: self._inner.infer(model, inputs, outputs=outputs, timeout_s=timeout_s, priority=priority),
        )

    async def parameters(self, model: str) -> dict[str, str]:
        """The `parameters` of a model's config.pbtxt."""
        return await self._tried(model, lambda: self._inner.parameters(model))

    async def version(self, model: str) -> str:
        """The version of a model that answers its requests."""
        return await self._tried(model, lambda: self._inner.version(model))

    async def models(self) -> tuple[ServedModel, ...]:
        """What the server's repository holds, ready or not."""
        return await self._tried("", self._inner.models)

    async def close(self) -> None:
        """Close the connections."""
        await self._inner.close()

    async def _tried(self, model: str, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        if left_s() <= 0:  # nobody waits for the answer
            raise ServerTimeout(self.url, model, 0.0)
        began, attempt = monotonic(), 0
        try:
            while True:
                attempt += 1
                try:
                    answer = await ask()
                except PASSING as error:
                    await self._pause(model, attempt, error, monotonic() - began)
                else:
                    self._answered = True
                    return answer
        finally:
            note(attempt)

    async def _pause(self, model: str, attempt: int, error: Passing, spent_s: float) -> None:
        """Wait for the next attempt; raise the error where there is to be none."""
        self._answered = self._answered or not isinstance(error, ServerUnreachable)
        pause_s = self._policy.pause_after(attempt, error)
        in_time = pause_s < min(left_s(), self._policy.patience_s - spent_s)
        if not in_time or not self._policy.allows(attempt, error, answered=self._answered):
            raise error
        kind = type(error).__name__
        RETRIES.labels(kind).inc()
        logger.info("%s: attempt %d for %s failed (%s), next in %.2f s", error.url, attempt, model, kind, pause_s)
        await asyncio.sleep(pause_s)
