from __future__ import annotations

import asyncio

import pytest

from callscope.triton.concurrency import map_concurrently

pytestmark = pytest.mark.asyncio


class Gauge:
    """How many callers are inside at once."""

    def __init__(self) -> None:
        self.inside = self.most = self.finished = 0

    async def visit(self, item: int) -> int:
        self.inside += 1
        self.most = max(self.most, self.inside)
        await asyncio.sleep(0.001 * (item % 3))
        self.inside -= 1
        self.finished += 1
        return item * item


@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_no_more_than_the_limit_run_at_once_and_results_keep_their_order(limit: int) -> None:
    gauge = Gauge()
    results = await map_concurrently(gauge.visit, range(20), limit=limit)
    assert results == tuple(item * item for item in range(20))
    assert gauge.most == min(limit, 20)


async def test_the_first_failure_cancels_the_rest_and_arrives_as_it_is() -> None:
    gauge = Gauge()

    async def visit(item: int) -> int:
        if item == 4:
            raise LookupError("four")
        return await gauge.visit(item)

    with pytest.raises(LookupError, match="four"):
        await map_concurrently(visit, range(1000), limit=4)
    assert gauge.finished < 10


async def test_a_cancelled_caller_cancels_its_items() -> None:
    gauge = Gauge()
    task = asyncio.create_task(map_concurrently(gauge.visit, range(1000), limit=2))
    await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    finished = gauge.finished
    await asyncio.sleep(0.01)
    assert gauge.finished == finished < 1000


async def test_nothing_to_do_is_done_at_once() -> None:
    assert await map_concurrently(Gauge().visit, [], limit=1) == ()
