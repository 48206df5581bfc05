"""Many requests at once, and not too many: Triton batches what it sees together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def map_concurrently(
    function: Callable[[Item], Awaitable[Result]], items: Iterable[Item], *, limit: int
) -> tuple[Result, ...]:
    """Await `function(item)` for every item, at most `limit` at a time; results in the order of the items.

    The first failure cancels the rest and is raised as it is.
    """
    gate = asyncio.Semaphore(limit)

    async def passed(item: Item) -> Result:
        async with gate:
            return await function(item)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(passed(item)) for item in items]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return tuple(task.result() for task in tasks)
