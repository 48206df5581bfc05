"""What a queue's limit, timeout and priorities cost a model of milliseconds in Triton.

    python -m bench.queues

The demo's sentiment model, served four times by one server, each time with another queue, and asked in turn by 1, 4 and
16 senders that wait for their answers. `docs/design.md` says what follows.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import shutil
import statistics
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import monotonic

import numpy as np

from bench.machine import describe_machine
from callscope.triton.transport import Transport, connect
from callscope_server import TritonServer, ensure_environment

MODEL = Path(__file__).parents[1] / "model_repository" / "sentiment"
LIMIT = "default_queue_policy { max_queue_size: 256 }"
TIMEOUT = (
    "default_queue_policy { max_queue_size: 256 allow_timeout_override: true default_timeout_microseconds: 60000000 }"
)
PRIORITIES = "priority_levels: 2 default_priority_level: 2"
QUEUES: Mapping[str, str] = {
    "plain": "",
    "limit": LIMIT,
    "limit_and_timeout": TIMEOUT,
    "priorities": PRIORITIES,
    "all": f"{TIMEOUT} {PRIORITIES}",
}
SENDERS = (1, 4, 16)
TOKENS = 16
VOCABULARY = 200
BATCHING = re.compile(r"dynamic_batching \{.*?\n?\}\n", re.DOTALL)


def save(repository: Path) -> None:
    """The model once with each queue."""
    for name, queue in QUEUES.items():
        shutil.copytree(MODEL, repository / name)
        config = repository / name / "config.pbtxt"
        text = config.read_text().replace('name: "sentiment"', f'name: "{name}"', 1)
        text = text.replace("response_cache { enable: true }", "")
        batching = f"dynamic_batching {{ max_queue_delay_microseconds: 1000 {queue} }}\n"
        config.write_text(BATCHING.sub(batching, text, count=1))


async def load(transport: Transport, model: str, senders: int, seconds: float) -> tuple[float, float]:
    """Requests a second, and the longest wait for an answer."""
    waits_s: list[float] = []
    words, end = np.random.default_rng(senders), monotonic() + seconds

    async def send() -> None:
        while (began := monotonic()) < end:
            ids = words.integers(5, VOCABULARY, (1, TOKENS))
            await transport.infer(model, {"input_ids": ids, "attention_mask": np.ones((1, TOKENS), np.int64)})
            waits_s.append(monotonic() - began)

    await asyncio.gather(*(send() for _ in range(senders)))
    return len(waits_s) / seconds, max(waits_s)


async def measure(url: str, rounds: int, seconds: float) -> dict[tuple[str, int], list[tuple[float, float]]]:
    """What each queue gave to so many senders, round by round."""
    transport = connect(url)
    found: dict[tuple[str, int], list[tuple[float, float]]] = {}
    try:
        for _ in range(rounds):
            for senders in SENDERS:
                for model in QUEUES:
                    found.setdefault((model, senders), []).append(await load(transport, model, senders, seconds))
    finally:
        await transport.close()
    return found


def main() -> None:
    """Print a row for each queue."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder))
        with TritonServer(Path(folder), environment=ensure_environment()) as server:
            found = asyncio.run(measure(f"grpc://{server.endpoints.grpc}", given.rounds, given.seconds))
    print(describe_machine())
    headings = ["queue", *(f"{count} senders" for count in SENDERS), "longest wait"]
    print(f"\n| {' | '.join(headings)} |\n|---|---:|---:|---:|---:|")
    for queue in QUEUES:
        rates = [statistics.median(rate for rate, _ in found[queue, count]) for count in SENDERS]
        longest_s = max(wait for count in SENDERS for _, wait in found[queue, count])
        print(f"| {queue} | {' | '.join(f'{rate:.0f}/s' for rate in rates)} | {longest_s:.2f} s |")


if __name__ == "__main__":
    main()
