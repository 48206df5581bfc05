"""The batch in this process: each recording analysed once, its result stored, what cannot be read set aside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence

from callscope.batch.pace import Pace
from callscope.batch.sources import Item
from callscope.batch.tally import Tally
from callscope.batch.work import Worker
from callscope.telemetry.metrics import queued

AHEAD = 4
"""Recordings that are fetched and looked at beyond those that are worked on."""


async def run_batch(
    items: Sequence[Item],
    worker: Worker,
    pace: Pace,
    *,
    tally: Tally,
    told: Callable[[Tally], None] = lambda _: None,
) -> None:
    """Analyse recordings and store their results; what has one is passed over.

    A recording is known by its content: the same sound under two names is one call. Killed at any moment and run again,
    the batch goes on where it was, since a result is stored whole or not at all. What another process works on is
    looked at again at the end.

    Args:
        items: the recordings.
        worker: what works on each.
        pace: the worker's.
        tally: what happens is written here as it happens, so that it is there however the batch ends.
        told: called after each recording.

    Raises:
        CallscopeError: see `Worker.do`.
    """
    elsewhere: list[Item] = []

    async def work(item: Item) -> None:
        outcome = await worker.do(item)
        if outcome.state == "elsewhere":
            elsewhere.append(item)
            return
        tally.add(item, outcome)
        told(tally)

    async def wait(item: Item) -> None:
        tally.add(item, await worker.do(item, patient=True))
        told(tally)

    await _side_by_side(queued(items, len(items)), work, pace)
    await _side_by_side(elsewhere, wait, pace)


async def _side_by_side(items: Iterable[Item], work: Callable[[Item], Coroutine[None, None, None]], pace: Pace) -> None:
    """Begin as many as are worked on and a few more, then the next whenever one has ended; a failure ends all."""
    begun: set[asyncio.Task[None]] = set()
    try:
        async with asyncio.TaskGroup() as group:
            for item in items:
                while len(begun) >= pace.limit + AHEAD:
                    _, begun = await asyncio.wait(begun, return_when=asyncio.FIRST_COMPLETED)
                begun.add(group.create_task(work(item)))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
