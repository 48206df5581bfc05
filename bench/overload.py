"""What a server with a short queue still does under ten times the load that it takes.

    python -m bench.overload

In turn: as many senders as the server holds, which never see a refusal, and ten times as many through the transport
that commands use. The figure is the second throughput as a share of the first, round by round: of a Triton with a
model of some milliseconds, and of a queue in this process that takes the same time for every request, which shows what
the client alone costs.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.small_models import add_model, make_slow

from bench.machine import describe_machine
from callscope.errors import ServerBusy
from callscope.triton.attempts import counted
from callscope.triton.endpoint import Endpoint
from callscope.triton.fake import FakeTransport
from callscope.triton.pool import PoolTransport
from callscope.triton.retrying import RetryingTransport
from callscope.triton.transport import Tensors, Transport, Wire, connect
from callscope_server import TritonServer, ensure_environment

ROW = 'name: "{}" data_type: TYPE_FP32 dims: [1]'
WORK = {"x": np.full((1, 1), 20, np.float32)}
OVERLOAD = 10
STEADY_S = 0.005


class SteadyQueue(FakeTransport):
    """Works on one request at a time, lets some wait, and refuses more than that, as Triton does."""

    def __init__(self, waiting: int, service_s: float) -> None:
        super().__init__({"slow": WORK})
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


async def throughput(transport: Transport, senders: int, seconds: float) -> float:
    """Answers a second, by senders that each wait for one answer before they ask again.

    Raises:
        TritonError: a request failed.
    """
    answers, began = 0, time.perf_counter()

    async def send() -> None:
        nonlocal answers
        while time.perf_counter() - began < seconds:
            await transport.infer("slow", WORK)
            answers += 1

    await asyncio.gather(*(send() for _ in range(senders)))
    return answers / (time.perf_counter() - began)


async def compare(bare: Wire, capacity: int, rounds: int, seconds: float) -> list[float]:
    """The share of the most throughput that is left under overload, for each round."""
    resilient = RetryingTransport(PoolTransport([Endpoint(bare)]))
    shares = []
    for number in range(rounds):
        with counted() as tally:
            most = await throughput(bare, capacity, seconds)
            under_load = await throughput(resilient, OVERLOAD * capacity, seconds)
        shares.append(under_load / most)
        print(
            f"round {number + 1}: {most:.0f}/s by {capacity} senders, {under_load:.0f}/s by {OVERLOAD * capacity} "
            f"({under_load / most:.2f}), {tally.attempts / tally.requests:.2f} attempts a request, 0 failed"
        )
    await resilient.close()
    return shares


def main() -> None:
    """Serve one slow model and overload it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--queue", type=int, default=16, help="requests that may wait (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement (default: %(default)s)")
    options = parser.parse_args()
    queue = (
        "dynamic_batching { max_queue_delay_microseconds: 1000 "
        f"default_queue_policy {{ max_queue_size: {options.queue} }} }}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        tensors = {name: ROW.format(name) for name in "xy"}
        add_model(Path(folder), "slow", make_slow(), queue, max_batch_size=8, **tensors)
        with TritonServer(Path(folder), environment=ensure_environment()) as server:
            print(describe_machine())
            report("Triton", connect(f"grpc://{server.endpoints.grpc}"), options)
    report("steady queue", SteadyQueue(options.queue, STEADY_S), options)


def report(name: str, wire: Wire, options: argparse.Namespace) -> None:
    """Measure one server, and print what is left of its throughput."""
    shares = asyncio.run(compare(wire, options.queue, options.rounds, options.seconds))
    print(f"{name}: median share of the most throughput {statistics.median(shares):.2f}")


if __name__ == "__main__":
    main()
