"""What servers serve at this moment, as one name, and whether that has changed meanwhile."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import Context

from callscope.errors import ServerUnreachable, TritonError
from callscope.settings import Settings
from callscope.triton.deadline import deadline
from callscope.triton.tls import Tls
from callscope.triton.transport import DIAGNOSIS_TIMEOUT_S, Wire, addresses, connect, newest

WATCH_S = 1.0
"""Triton looks into its repository once a second at most: nothing it serves comes and goes between two looks."""
READY = "READY"
OURS = "contract"
"""The parameter that every model of Callscope has."""


class Served:
    """Asks servers what they serve, each on a connection of its own, beside the queue of requests for inference.

    Args:
        servers: an address, or several with commas.
        settings: of these TLS files and headers.

    Attributes:
        changes: how often another answer came than the time before.
    """

    def __init__(self, servers: str, settings: Settings) -> None:
        tls = Tls(settings.tls_ca, settings.tls_cert, settings.tls_key)
        headers = settings.header_fields()
        self._wires = [
            connect(url, timeout_s=DIAGNOSIS_TIMEOUT_S, headers=headers, tls=tls) for url in addresses(servers)
        ]
        self._last: str | None = None
        self._users = 0
        self._task: asyncio.Task[None] | None = None
        self.changes = 0

    async def identity(self) -> str | None:
        """Names, versions and parameters, the graphs' SHA-256 among them, of every model of Callscope that is ready.

        Returns:
            64 hexadecimal digits. None where that cannot be told: no server answers, one fails to, or they differ.
        """
        found = await self._asked()
        if found != self._last:
            self._last = found
            self.changes += 1
        return found

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Ask every second during the block, so that `changes` also tells of what came and went again."""
        self._users += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch(), context=Context())  # nobody's deadline is its own
        try:
            yield
        finally:
            self._users -= 1

    async def close(self) -> None:
        """Close the connections."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await asyncio.gather(*(wire.close() for wire in self._wires))

    async def _watch(self) -> None:
        while self._users:
            await asyncio.sleep(WATCH_S)
            if self._users:
                await self.identity()

    async def _asked(self) -> str | None:
        try:
            with deadline(DIAGNOSIS_TIMEOUT_S):
                answers = await asyncio.gather(*map(_identity, self._wires))
        except TritonError:
            return None
        up = {answer for answer in answers if answer is not None}
        return up.pop() if len(up) == 1 else None


async def _identity(wire: Wire) -> str | None:
    """What one server serves; None of one that is not there, which nobody can get a result from."""
    try:
        index = await wire.models()
    except ServerUnreachable:
        return None
    ready = {model.name for model in index if model.state == READY}
    names = sorted(ready)
    told = await asyncio.gather(*(wire.parameters(name) for name in names))
    served = [
        (name, newest(model.version for model in index if model.name == name and model.state == READY), parameters)
        for name, parameters in zip(names, told, strict=True)
        if OURS in parameters
    ]
    return hashlib.sha256(json.dumps(served, sort_keys=True).encode()).hexdigest()
