"""A batch of one call at a time, as the local engine runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from callscope.batch.pace import Pace
from callscope.batch.run import run_batch
from callscope.batch.sources import Item
from callscope.batch.tally import Tally
from callscope.batch.work import Worker
from callscope.cache.analysis import Cache
from callscope.settings import Settings
from callscope.store.claims import open_claims
from callscope.store.sql import open_store
from callscope.triton.transport import Transport


async def one_batch(
    recordings: Sequence[Path],
    transport: Transport,
    store: Path,
    settings: Settings,
    *,
    cache: Cache | None = None,
    told: Callable[[Tally], None] = lambda _: None,
) -> Tally:
    """Work through recordings into a store, and say how it went."""
    opened, claims, pace, tally = open_store(str(store)), open_claims(str(store)), Pace(1, first=1), Tally()
    try:
        worker = Worker(transport, opened, claims, settings, pace=pace, cache=cache)
        await run_batch([Item(str(path)) for path in recordings], worker, pace, tally=tally, told=told)
    finally:
        claims.close()
        opened.close()
    return tally
