"""What a server with a short queue still does under ten times the load that it takes.

    python -m bench.overload

In turn: as many senders as the server holds, which never see a refusal, and ten times as many through the transport
that commands use. The figure is the second throughput as a share of the first, round by round.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from tests.small_models import add_model, make_slow

from bench.machine import describe_machine
from callscope.triton.attempts import counted
from callscope.triton.resilient import connect_all
from callscope.triton.transport import Transport, connect
from callscope_server import TritonServer, ensure_environment

ROW = 'name: "{}" data_type: TYPE_FP32 dims: [1]'
WORK = {"x": np.full((1, 1), 20, np.float32)}
OVERLOAD = 10


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


async def compare(url: str, capacity: int, rounds: int, seconds: float) -> list[float]:
    """The share of the most throughput that is left under overload, for each round."""
    bare, resilient = connect(url), connect_all(url)
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
    await bare.close()
    await resilient.close()
    return shares


def main() -> None:
    """Serve one slow model and overload it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--queue", type=int, default=8, help="requests that may wait (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement (default: %(default)s)")
    options = parser.parse_args()
    queue = (
        "dynamic_batching { max_queue_delay_microseconds: 10000 "
        f"default_queue_policy {{ max_queue_size: {options.queue} }} }}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        tensors = {name: ROW.format(name) for name in "xy"}
        add_model(Path(folder), "slow", make_slow(), queue, max_batch_size=4, **tensors)
        with TritonServer(Path(folder), environment=ensure_environment()) as server:
            print(describe_machine())
            url = f"grpc://{server.endpoints.grpc}"
            shares = asyncio.run(compare(url, options.queue, options.rounds, options.seconds))
    print(f"median share of the most throughput: {statistics.median(shares):.2f}")


if __name__ == "__main__":
    main()
