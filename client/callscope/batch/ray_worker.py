"""A worker in a process of Ray's: it opens what it needs itself, and tells what stops it as data."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

from callscope.batch.pace import Pace
from callscope.batch.sources import Item
from callscope.batch.work import Outcome, Worker
from callscope.cache.analysis import open_cache
from callscope.cache.place import open_results
from callscope.settings import Settings
from callscope.store.claims import open_claims
from callscope.store.sql import open_store
from callscope.triton.resilient import open_transport
from callscope.triton.retrying import Policy

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker is told once. Ray carries it as an object, in no command line and no log.

    Attributes:
        servers: the address of the servers.
        settings: see `analyze`.
        folder: where the command was given: paths are relative to it.
        most: how many calls this worker may work on at once.
        redo: SHA-256 sums of recordings that are analysed again though they have a result.
    """

    servers: str
    settings: Settings
    folder: str
    most: int
    redo: frozenset[str]


@dataclass(frozen=True, slots=True)
class Stopped:
    """What no worker can go on after: the message for the user, and the exit code."""

    message: str
    exit_code: int


class RayWorker:
    """An actor of Ray's; when its process dies, Ray makes another and gives that the same recordings.

    Args:
        orders: what to do.
    """

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._opening, self._open = asyncio.Lock(), AsyncExitStack()
        self._worker: Worker | None = None
        with suppress(OSError):  # on another machine it need not be there
            os.chdir(orders.folder)

    async def do(self, item: Item, *, patient: bool) -> Outcome | Stopped:
        """Work on one recording: `Worker.do`; an error that ends the batch is returned."""
        try:
            return await (await self._opened()).do(item, patient=patient)
        except Exception as error:  # errors of ours do not survive pickling
            return Stopped(str(error), getattr(error, "exit_code", 1))

    async def pid(self) -> int:
        """The process it is in."""
        return os.getpid()

    async def _opened(self) -> Worker:
        async with self._opening:
            if self._worker is None:
                orders, settings = self._orders, self._orders.settings
                store = await asyncio.to_thread(open_store, settings.store)
                kept = open_cache(open_results(settings, by_default=True), orders.servers, settings)
                self._worker = Worker(
                    open_transport(orders.servers, settings, Policy.for_batches(settings.patience_s)),
                    store,
                    open_claims(settings.store),
                    settings,
                    pace=Pace(orders.most),
                    redo=orders.redo,
                    cache=await self._open.enter_async_context(kept),
                )
            return self._worker
