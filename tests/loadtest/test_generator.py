"""The generator against servers that stand still, that answer slowly, and that say what they did."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from loadtest.generator import Generator
from loadtest.samples import read_results
from loadtest.search import Search
from loadtest.served import difference, fetch_statistics
from loadtest.steps import carried, steps
from loadtest.trials import Trials
from loadtest.work import Material, Recorded, Window, gather
from numpy.typing import NDArray

from callscope.triton.fake import FakeTransport
from callscope.triton.transport import Tensors, connect

if TYPE_CHECKING:
    from callscope_server.launcher import TritonServer

RATE = 20.0
STALL_S = 1.0
WINDOW_EVERY_S = 0.4
SERVICE_S = 0.02
CAPACITY = round(WINDOW_EVERY_S / SERVICE_S)


async def test_a_server_that_stands_still_gets_the_same_load_and_the_wait_counts(
    triton: TritonServer, options: Namespace
) -> None:
    options.servers = (f"grpc://{triton.endpoints.grpc}",)
    transport = connect(options.servers[0])
    generator = Generator([transport], await gather(transport, options.calls), options)
    generator.start(0, "punctuate", RATE)
    await asyncio.sleep(1)
    os.kill(triton.pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(STALL_S)
    finally:
        os.kill(triton.pid, signal.SIGCONT)
    await asyncio.sleep(1)
    await generator.end(10)
    await transport.close()

    samples = sorted(read_results(options.results).samples, key=lambda sample: sample.due_s)
    due_s = [sample.due_s for sample in samples]
    assert np.allclose(np.diff(due_s), 1 / RATE)
    assert not any(sample.error for sample in samples)
    waited = [sample.latency_s for sample in samples if sample.latency_s > STALL_S / 4]
    assert len(waited) >= RATE * STALL_S / 2  # a closed loop would have seen one
    assert max(waited) >= 0.8 * STALL_S


async def test_the_server_counts_what_was_sent(triton: TritonServer, options: Namespace) -> None:
    options.servers = (f"http://{triton.endpoints.http}",)
    transport = connect(options.servers[0])
    material = await gather(transport, options.calls)
    generator = Generator([transport], material, options)
    over_grpc = f"grpc://{triton.endpoints.grpc}"
    before, before_grpc = await fetch_statistics(options.servers[0]), await fetch_statistics(over_grpc)
    assert before == before_grpc
    generator.start(0, "transcribe", 8.0)
    await asyncio.sleep(1.5)
    await generator.end(20)
    await transport.close()

    sent = len(read_results(options.results).samples)
    work = difference(await fetch_statistics(options.servers[0]), before)
    assert sent > 5
    for model in ("log_mel", "whisper_encoder", "whisper_decoder"):
        done = work[model]
        assert done.requests == done.inferences == sent
        assert sum(int(size) * count for size, count in done.batches.items()) == sent
        assert done.mean_batch == sent / done.executions
        assert done.compute_s > 0


class SteadyServer(FakeTransport):
    """Works on one request at a time, each as long as the next."""

    def __init__(self) -> None:
        super().__init__({})
        self._work = asyncio.Lock()

    async def infer(self, model: str, inputs: Tensors, **_: Any) -> dict[str, NDArray[Any]]:
        async with self._work:
            await asyncio.sleep(SERVICE_S)
        return dict(inputs)


async def test_the_search_finds_how_many_calls_a_slow_server_carries(
    options: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = [Window(np.zeros((1, 10), np.int16), 0.1, 8, (n + 1) * WINDOW_EVERY_S) for n in range(5)]
    call = Recorded(options.calls, 5 * WINDOW_EVERY_S, windows)
    monkeypatch.setattr("loadtest.generator.fetch_statistics", _nothing)
    generator = Generator([SteadyServer()], Material([call], ["yes"], []), options)
    told: list[str] = []
    trials = Trials(Search(CAPACITY // 2), trial_s=3.0, target_s=0.4, say=told.append)
    running: set[int] = set()
    while (count := trials.count(generator.clock_s, generator.samples)) is not None:
        for number in [*running][count:]:
            running.remove(number)
            generator.stop(number)
        while len(running) < count:
            running.add(number := time.perf_counter_ns())
            generator.start(number, "live", 0.0)
        await asyncio.sleep(0.05)
    await generator.end(1)
    assert 0.7 * CAPACITY <= trials.search.passed <= 1.1 * CAPACITY, told
    best = carried(steps(read_results(options.results), "live"), 0.4)
    assert best is not None
    assert best.sources <= trials.search.passed


async def _nothing(*_: object) -> Mapping[str, Any]:
    return {}


async def test_a_request_that_nobody_answered_is_no_success(
    options: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent(FakeTransport):
        async def infer(self, *_: Any, **__: Any) -> dict[str, NDArray[Any]]:
            await asyncio.sleep(60)
            return {}

    monkeypatch.setattr("loadtest.generator.fetch_statistics", _nothing)
    window = Window(np.zeros((1, 10), np.int16), 0.1, 8, 0.1)
    generator = Generator([Silent({})], Material([Recorded(options.calls, 1.0, [window])], ["yes"], []), options)
    generator.start(0, "transcribe", 50.0)
    await asyncio.sleep(0.2)
    await generator.end(0.1)
    samples = read_results(options.results).samples
    assert samples
    assert {sample.error for sample in samples} == {"Unanswered"}
