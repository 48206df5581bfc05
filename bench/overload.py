"""What a server still does under ten times the load that it holds.

    python -m bench.overload

The bundled models' `transcribe`, with whole windows of the demo calls. In turn: some numbers of senders that the queue
holds, each asked for a while, of which the best throughput is the server's most; ten times as many senders as the queue
holds, for a minute, through ten clients as commands have them; and the first again. The figure is the throughput under
overload as a share of the most, of before and after in the mean. The memory of the server with its models and of this
process is looked at all the time.
With --steady the server is a queue in this process that takes the same time for every request, which shows what the
client alone costs.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import psutil
from numpy.typing import NDArray
from tests.repository_files import parameters, read_config

from bench.machine import describe_machine
from bench.saturation import asking, requests
from bench.serving import DEMO
from bench.sound import DEMO_CALLS, windows
from callscope.errors import ServerBusy
from callscope.triton.attempts import counted
from callscope.triton.endpoint import Endpoint
from callscope.triton.fake import FakeTransport
from callscope.triton.pool import PoolTransport
from callscope.triton.retrying import RetryingTransport
from callscope.triton.transport import Tensors, Transport, Wire, connect
from callscope_server import TritonServer, ensure_environment

Ask = Callable[[int], Awaitable[object]]
Asker = Callable[[Transport], Ask]

OVERLOAD = 10
STEADY_S = 0.005
LEAST_SHARE, MOST_GROWTH = 0.9, 1.05
MIB = 2**20


class SteadyQueue(FakeTransport):
    """Works on one request at a time, lets some wait, and refuses more than that, as Triton does."""

    def __init__(self, waiting: int, service_s: float) -> None:
        super().__init__({"slow": {"x": np.zeros((1, 1), np.float32)}})
        self._most, self._service_s, self._here, self._work = waiting + 1, service_s, 0, asyncio.Lock()

    async def infer(self, model: str, inputs: Tensors, **_: object) -> dict[str, NDArray[Any]]:
        """Refuse at once, or answer in turn."""
        if self._here >= self._most:
            raise ServerBusy(self.url, model, "Exceeds maximum queue size")
        self._here += 1
        try:
            async with self._work:
                await asyncio.sleep(self._service_s)
        finally:
            self._here -= 1
        return dict(inputs)

    async def is_ready(self, timeout_s: float) -> bool:
        """Always."""
        return timeout_s > 0


@dataclass(slots=True)
class Memory:
    """Resident memory in MiB of this process and of a server with its models, once a second while it is watched."""

    server_pid: int
    client: list[float] = field(default_factory=list)
    server: list[float] = field(default_factory=list)

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            server = psutil.Process(self.server_pid)
            family = [server, *server.children(recursive=True)]
            self.client.append(psutil.Process().memory_info().rss / MIB)
            self.server.append(sum(one.memory_info().rss for one in family) / MIB)
            await asyncio.sleep(1.0)

    def growth(self) -> tuple[float, float]:
        """Of client and server: the last quarter as a multiple of the second."""
        return _growth(self.client), _growth(self.server)


def _growth(seen: list[float]) -> float:
    quarter = max(1, len(seen) // 4)
    return statistics.median(seen[-quarter:]) / statistics.median(seen[quarter : 2 * quarter])


async def throughput(ask: Ask, senders: int, seconds: float) -> float:
    """Answers a second, by senders that each wait for one answer before they ask again; the start does not count.

    Raises:
        TritonError: a request failed.
    """
    numbers, answers, began = itertools.count(), list[float](), time.perf_counter()

    async def send() -> None:
        while time.perf_counter() - began < seconds:
            await ask(next(numbers))
            answers.append(time.perf_counter() - began)

    await asyncio.gather(*(send() for _ in range(senders)))
    first_s = seconds / 4
    counted_answers = sum(first_s <= at < seconds for at in answers)
    return counted_answers / (seconds - first_s)


async def compare(bare: Ask, resilient: Ask, options: argparse.Namespace, memory: Memory | None) -> list[float]:
    """The share of the most throughput that is left under overload, for each round."""
    shares = []
    for number in range(options.rounds):
        before = await _most(bare, options)
        watching = asyncio.ensure_future(memory.watch()) if memory else None
        with counted() as tally:
            loaded = await throughput(resilient, OVERLOAD * options.queue, options.overload_s)
        if watching:
            watching.cancel()
        after = await _most(bare, options)
        shares.append(2 * loaded / (before[0] + after[0]))
        print(
            f"round {number + 1}: at most {before[0]:.1f}/s before ({before[1]} senders) and {after[0]:.1f}/s after, "
            f"{loaded:.1f}/s by {OVERLOAD * options.queue} senders ({shares[-1]:.2f}); {tally.requests} requests, "
            f"{tally.attempts / tally.requests:.2f} attempts each, 0 failed",
            flush=True,
        )
    return shares


async def _most(bare: Ask, options: argparse.Namespace) -> tuple[float, int]:
    counts = [count for count in (16, 48, 128) if count <= options.queue] or [options.queue]
    return max([(await throughput(bare, count, options.seconds), count) for count in counts])


async def measure(wires: Sequence[Transport], asker: Asker, options: argparse.Namespace, pid: int | None) -> bool:
    """Measure one server over some connections, and print what is left of its throughput and what memory grew.

    Each connection has a client's own limit and retries, as ten programs have that know nothing of each other. Returns
    whether all is as promised.
    """
    clients = [RetryingTransport(PoolTransport([Endpoint(cast(Wire, wire))])) for wire in wires]
    asks = [asker(client) for client in clients]
    memory = Memory(pid) if pid else None
    shares = await compare(asker(wires[0]), lambda number: asks[number % len(asks)](number), options, memory)
    for client in clients:
        await client.close()
    kept = statistics.median(shares) >= LEAST_SHARE
    print(f"median share of the most throughput {statistics.median(shares):.2f}")
    if memory:
        client, server = memory.growth()
        print(
            "memory under overload, last quarter to second: "
            f"client {client:.2f} (at most {max(memory.client):.0f} MiB), "
            f"server {server:.2f} (at most {max(memory.server):.0f} MiB)"
        )
        kept = kept and max(client, server) <= MOST_GROWTH
    return kept


def steady(options: argparse.Namespace) -> bool:
    """Overload the queue of this process."""
    options.queue = options.queue or 16
    body = {"x": np.zeros((1, 1), np.float32)}
    queue = SteadyQueue(options.queue, STEADY_S)
    return asyncio.run(measure([queue], lambda one: lambda _: one.infer("slow", body), options, None))


def served(options: argparse.Namespace) -> bool:
    """Overload the bundled models in Triton."""
    decoder = read_config(DEMO, "whisper_decoder")
    options.queue = options.queue or decoder.dynamic_batching.default_queue_policy.max_queue_size
    samples = int(parameters(read_config(DEMO, "transcribe"))["window_samples"])
    bodies = requests(windows(DEMO_CALLS, 16, samples // 16_000), tokens=80)

    async def over(url: str, pid: int) -> bool:
        wires = [connect(url, timeout_s=600) for _ in range(OVERLOAD)]
        return await measure(wires, lambda one: asking(one, bodies), options, pid)

    with TritonServer(DEMO, environment=ensure_environment()) as server:
        return asyncio.run(over(f"grpc://{server.endpoints.grpc}", server.pid))


def main() -> None:
    """Serve the bundled models and overload them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--steady", action="store_true", help="a queue in this process in place of Triton")
    parser.add_argument("--queue", type=int, help="requests that may wait (default: as the models' configs say)")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each number of senders (default: %(default)s)")
    parser.add_argument("--overload-s", type=float, default=60.0, help="default: %(default)s")
    options = parser.parse_args()
    print(describe_machine())
    sys.exit(not (steady(options) if options.steady else served(options)))


if __name__ == "__main__":
    main()
