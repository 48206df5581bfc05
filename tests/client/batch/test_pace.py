"""How many calls are worked on at once, against servers that take so many requests."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from callscope.batch.memory import memory_left_bytes
from callscope.batch.pace import Pace
from callscope.errors import ServerBusy
from callscope.triton.attempts import Tally, counted
from callscope.triton.concurrency import map_concurrently
from callscope.triton.endpoint import Endpoint
from callscope.triton.fake import FakeTransport
from callscope.triton.limit import AdaptiveLimit
from callscope.triton.pool import PoolTransport
from callscope.triton.retrying import Policy, RetryingTransport

pytestmark = pytest.mark.asyncio
EASY, HARD = Tally(100, 105, 1, 0), Tally(100, 190, 9, 0)
OK = {"y": np.ones(1, np.float32)}
A_CALL, SHARE = 40, 8
POLICY = Policy(busy_pause_s=0.002, longest_busy_pause_s=0.004)


def room() -> bool:
    return True


class Narrow(FakeTransport):
    """A server that holds so many requests, and refuses the others as Triton does."""

    def __init__(self, holds: int) -> None:
        super().__init__({"echo": OK})
        self.holds, self._here = holds, 0

    async def infer(self, model: str, *_: Any, **__: Any) -> Any:
        if self._here >= self.holds:
            raise ServerBusy(self.url, model, "Exceeds maximum queue size")
        self._here += 1
        try:
            await asyncio.sleep(0.001)
        finally:
            self._here -= 1
        return OK

    async def is_ready(self, timeout_s: float) -> bool:
        return timeout_s > 0


async def work(pace: Pace, server: Narrow, most_outstanding: int, calls: int) -> list[int]:
    """So many calls through the gate, each of many requests; the limit after each."""
    pool = PoolTransport([Endpoint(server, limit=AdaptiveLimit(most_outstanding))])
    transport, limits = RetryingTransport(pool, POLICY), []

    async def one(_: int) -> None:
        number = await pace.begin()
        with counted() as requests:
            try:
                await map_concurrently(lambda _: transport.infer("echo", {}), range(A_CALL), limit=SHARE)
            finally:
                pace.end(number, requests)
        limits.append(pace.limit)

    await map_concurrently(one, range(calls), limit=calls)
    await transport.close()
    return limits


async def test_it_rises_to_the_ceiling_where_a_server_takes_all() -> None:
    pace = Pace(12, has_room=room)
    limits = await work(pace, Narrow(1000), 1000, 40)
    assert limits[-1] == 12
    assert max(limits) == 12
    assert limits == sorted(limits)


@pytest.mark.parametrize(("holds", "outstanding"), [(2 * SHARE, 1000), (1000, 2 * SHARE)])
async def test_it_falls_where_a_server_refuses_or_requests_stand_in_line_and_rises_when_it_takes_more(
    holds: int, outstanding: int
) -> None:
    """`holds` is where the server refuses, `outstanding` where our own limit lets requests wait."""
    pace = Pace(12, first=12, has_room=room)
    limits = await work(pace, Narrow(holds), outstanding, 60)
    assert min(limits) <= 4
    limits = await work(pace, Narrow(1000), 1000, 120)
    assert limits[-1] == 12


async def test_calls_that_began_together_shrink_it_once() -> None:
    pace = Pace(8, first=8, has_room=room)
    numbers = [await pace.begin() for _ in range(8)]
    for number in numbers:
        pace.end(number, HARD)
    assert pace.limit == 6
    pace.end(await pace.begin(), HARD)
    assert pace.limit == 4


async def test_it_does_not_rise_while_it_is_not_used() -> None:
    pace = Pace(8, first=4, has_room=room)
    for _ in range(20):
        pace.end(await pace.begin(), EASY)
    assert pace.limit == 4


async def test_one_call_is_worked_on_however_little_memory_there_is() -> None:
    left = [False]
    pace = Pace(8, first=4, has_room=lambda: left[0])
    first = await pace.begin()
    waiting = asyncio.create_task(pace.begin())
    await asyncio.sleep(0)
    assert not waiting.done()
    pace.end(first, EASY)
    second = await waiting
    left[0] = True
    await pace.begin()
    assert pace.working == 2
    assert second == 2


async def test_who_gives_up_waiting_keeps_nobody_from_his_turn() -> None:
    pace = Pace(1, has_room=room)
    first = await pace.begin()
    given_up, waiting = asyncio.create_task(pace.begin()), asyncio.create_task(pace.begin())
    await asyncio.sleep(0)
    given_up.cancel()
    pace.end(first, EASY)
    assert await waiting == 2


async def test_memory_is_the_least_of_what_the_machine_and_its_container_leave(tmp_path: Path) -> None:
    machine, container = tmp_path / "meminfo", tmp_path / "cgroup"
    assert memory_left_bytes(machine, container) is None
    machine.write_text("MemTotal: 16 kB\nMemAvailable:    4096 kB\n", encoding="ascii")
    assert memory_left_bytes(machine, container) == 4 << 20
    container.mkdir()
    (container / "memory.max").write_text("max\n", encoding="ascii")
    (container / "memory.current").write_text("3145728\n", encoding="ascii")
    (container / "memory.stat").write_text("anon 7\ninactive_file 524288\n", encoding="ascii")
    assert memory_left_bytes(machine, container) == 4 << 20
    (container / "memory.max").write_text("4194304\n", encoding="ascii")
    assert memory_left_bytes(machine, container) == (1 << 20) + (1 << 19)


async def test_this_machine_tells_its_memory() -> None:
    left = memory_left_bytes()
    assert left is not None
    assert left > 1 << 20
