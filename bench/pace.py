"""How fast a batch is that finds out by itself how many calls to work on, against batches with fixed numbers.

    python -m bench.pace

In turn, round by round: fixed numbers, and the pace that `callscope batch` has. Each batch works on the same recordings
with the same server, into a new database. The figure is the automatic batch's throughput as a share of the best fixed
number's: of the medians, and of each round's own best.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import soundfile

from bench.machine import describe_machine
from callscope.batch.pace import Pace, most_calls
from callscope.batch.run import run_batch
from callscope.batch.sources import Item, find_items
from callscope.batch.tally import Tally
from callscope.batch.work import Worker
from callscope.settings import Settings
from callscope.store.claims import open_claims
from callscope.store.sql import open_store
from callscope.triton.resilient import open_transport
from callscope_server import TritonServer, ensure_environment

ROOT = Path(__file__).parents[1]
AUTOMATIC = 0


def cut(folder: Path, count: int, length_s: float) -> None:
    """Write so many recordings, each of other content: pieces of the demo's calls."""
    sounds = [soundfile.read(ROOT / "demo" / "calls" / f"{one}.wav", dtype="int16") for one in ("en", "ja", "ko")]
    for number in range(count):
        sound, rate_hz = sounds[number % len(sounds)]
        start = int(number // len(sounds) * 0.5 * rate_hz)
        soundfile.write(folder / f"{number:03}.wav", sound[start : start + int(length_s * rate_hz)], rate_hz)


async def batch_s(items: list[Item], server: str, folder: Path, fixed: int) -> float:
    """Seconds that one batch takes, with a fixed number of calls at once or the automatic one."""
    settings = Settings(store=str(folder / "calls.db"))
    pace = Pace(fixed, first=fixed) if fixed else Pace(most_calls())
    store, claims, transport = open_store(settings.store), open_claims(settings.store), open_transport(server, settings)
    tally, began = Tally(), time.perf_counter()
    await run_batch(items, Worker(transport, store, claims, settings, pace=pace), pace, tally=tally)
    seconds = time.perf_counter() - began
    await transport.close()
    claims.close()
    store.close()
    if tally.done != len(items):
        raise SystemExit(f"{tally.done} of {len(items)} recordings were analysed: {tally.aside}")
    return seconds


def main() -> None:
    """Measure in turn, and print ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--fixed", type=int, nargs="+", default=[1, 2, 4, 8, 16], help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--calls", type=int, default=60, help="recordings in a batch (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of each (default: %(default)s)")
    options = parser.parse_args()
    seconds: dict[int, list[float]] = {number: [] for number in (*options.fixed, AUTOMATIC)}
    with (
        tempfile.TemporaryDirectory() as name,
        TritonServer(ROOT / "model_repository", environment=ensure_environment()) as server,
    ):
        folder = Path(name)
        cut(folder, options.calls, options.seconds)
        items = find_items([name])
        print(describe_machine())
        asyncio.run(_once(items[:8], server.endpoints.grpc, 2))
        for number in range(options.rounds):
            order = list(seconds) if number % 2 else list(seconds)[::-1]
            for fixed in order:
                seconds[fixed].append(asyncio.run(_once(items, server.endpoints.grpc, fixed)))
                print(f"round {number + 1}, {fixed or 'automatic'}: {options.calls / seconds[fixed][-1]:.2f} calls/s")
    report(seconds)


async def _once(items: list[Item], address: str, fixed: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return await batch_s(items, f"grpc://{address}", Path(folder), fixed)


def report(seconds: dict[int, list[float]]) -> None:
    """Print each number's throughput as a share of the best fixed one's."""
    fixed = {number: statistics.median(took) for number, took in seconds.items() if number != AUTOMATIC}
    best = min(fixed, key=lambda number: fixed[number])
    for number, took in seconds.items():
        share = fixed[best] / statistics.median(took)
        print(f"{number or 'automatic':>9}: {share:.2f} of the throughput of {best} at once, by the medians")
    rounds = [min(seconds[number][place] for number in fixed) / took for place, took in enumerate(seconds[AUTOMATIC])]
    print(f"automatic, of each round's best: {', '.join(f'{share:.2f}' for share in rounds)}")


if __name__ == "__main__":
    main()
