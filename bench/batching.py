"""What waiting for company gives: throughput, latency and mean batch against the queue delay, drawn.

    python -m bench.batching [--shape tiny]

Every delay gets a server of its own over the same graphs, one after another, at several numbers of requests in flight;
a round goes through all delays, every other one backwards. Ratios are to no delay in the same round. The knee is the
shortest delay whose throughput, averaged over the numbers in flight, is within the tolerance of the best.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import psutil
from loadtest.knee import plateau
from loadtest.samples import quantile
from loadtest.served import Statistics, difference, fetch_statistics
from tests.repository_files import parameters, read_config

from bench.machine import describe_machine
from bench.saturation import asking, requests, saturate
from bench.serving import repository_of
from bench.sound import DEMO_CALLS, windows
from callscope.triton.transport import connect
from callscope.tuning.variant import choice_of, write_variant
from callscope_server import TritonServer, ensure_environment

DELAYS_MS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
IN_FLIGHT = (1, 4, 16)
DECODER = "whisper_decoder"
TOLERANCE = 0.03


@dataclass(frozen=True, slots=True)
class Seen:
    """One server at one number of requests in flight.

    Attributes:
        per_s: windows a second.
        per_cpu_s: windows for a second of the server's processor time.
        latency_s: the median.
        batch: windows in a run of the decoder, on average.
    """

    per_s: float
    per_cpu_s: float
    latency_s: float
    batch: float


Table = dict[float, dict[int, list[Seen]]]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", default="demo", help="demo, or random weights of these dimensions: tiny")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--answers", type=int, default=48, help="that count, at each number in flight")
    parser.add_argument("--tokens", type=int, default=80, help="the most a window gives; random weights give as many")
    parser.add_argument("--output", type=Path, default=Path("batching.svg"), help="the picture; .json beside it")
    options = parser.parse_args()
    found: Table = {delay_ms: {count: [] for count in IN_FLIGHT} for delay_ms in DELAYS_MS}
    with tempfile.TemporaryDirectory(prefix="callscope-bench-") as folder:
        repository = repository_of(options.shape, Path(folder))
        samples = int(parameters(read_config(repository, "transcribe"))["window_samples"])
        bodies = requests(windows(DEMO_CALLS, 16, samples // 16_000), options.tokens)
        for turn in range(options.rounds):
            for delay_ms in DELAYS_MS if turn % 2 == 0 else reversed(DELAYS_MS):
                place = Path(folder) / f"{turn}-{delay_ms:g}"
                write_variant(repository, place, replace(choice_of(repository), queue_delay_ms=delay_ms))
                for count, seen in _measure(place, bodies, options.answers).items():
                    found[delay_ms][count].append(seen)
                    print(f"round {turn + 1}, {delay_ms:g} ms, {count} in flight: {seen}", flush=True)
    _show(found, options)


def _measure(repository: Path, bodies: Sequence[Mapping[str, Any]], answers: int) -> dict[int, Seen]:
    with TritonServer(repository, environment=ensure_environment(), startup_timeout_s=600) as server:
        url = f"grpc://{server.endpoints.grpc}"
        return {count: asyncio.run(_seen(url, server.pid, bodies, count, answers)) for count in IN_FLIGHT}


async def _seen(url: str, pid: int, bodies: Sequence[Mapping[str, Any]], count: int, answers: int) -> Seen:
    transport, latencies_s = connect(url, timeout_s=600), []
    ask = asking(transport, bodies)

    async def timed(number: int) -> None:
        began = time.perf_counter()
        await ask(number)
        latencies_s.append(time.perf_counter() - began)

    try:
        before, spent_s = await fetch_statistics(url), cpu_s(pid)
        done = await saturate(timed, count, answers)
        spent_s = cpu_s(pid) - spent_s
        return Seen(done.per_s, done.answers / spent_s, quantile(latencies_s, 0.5), await _batch(url, before))
    finally:
        await transport.close()


async def _batch(url: str, before: Statistics) -> float:
    return difference(await fetch_statistics(url), before)[DECODER].mean_batch


def cpu_s(pid: int) -> float:
    """Processor time that a process and its children have taken."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return float(sum(times.user + times.system for times in (each.cpu_times() for each in family)))


def gains(found: Table) -> dict[float, float]:
    """The throughput at each delay as a multiple of that without, the median of all rounds and numbers in flight."""
    return {
        delay_ms: statistics.median(
            seen.per_s / without.per_s
            for count in IN_FLIGHT
            for seen, without in zip(row[count], found[0.0][count], strict=True)
        )
        for delay_ms, row in found.items()
    }


def _show(found: Table, options: argparse.Namespace) -> None:
    gain = gains(found)
    knee_ms = DELAYS_MS[plateau([gain[delay_ms] for delay_ms in DELAYS_MS], TOLERANCE)]
    print(f"\n{options.shape}, {describe_machine()}; windows a second (median), mean batch, median latency\n")
    for delay_ms, row in found.items():
        cells = "   ".join(f"{count:>2}: {_cell(seen)}" for count, seen in row.items())
        print(f"{delay_ms:>5g} ms   {cells}   {gain[delay_ms]:.2f} of no delay's")
    print(f"\nThe knee is at {knee_ms:g} ms.")
    told = {
        f"{delay_ms:g}": {c: [asdict(s) for s in seen] for c, seen in row.items()} for delay_ms, row in found.items()
    }
    options.output.with_suffix(".json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    _draw(found, knee_ms, options)


def _cell(seen: Sequence[Seen]) -> str:
    rate, batch, latency_s = (statistics.median(values) for values in zip(*_figures(seen), strict=True))
    return f"{rate:6.2f}/s {batch:5.1f} {latency_s * 1000:6.0f} ms"


def _figures(seen: Sequence[Seen]) -> list[tuple[float, float, float]]:
    return [(each.per_s, each.batch, each.latency_s) for each in seen]


def _draw(found: Table, knee_ms: float, options: argparse.Namespace) -> None:
    from matplotlib.figure import Figure  # noqa: PLC0415  a picture is the last thing that is made

    figure = Figure(figsize=(12, 4.2), layout="constrained")
    titles = ("Windows a second, against no delay", "Windows in a decoder's batch", "Median latency, ms")
    for axes, title, place in zip(figure.subplots(1, 3), titles, (0, 1, 2), strict=True):
        for count, colour in zip(IN_FLIGHT, ("#68a357", "#2b6cb0", "#dd6b20"), strict=True):
            rows = [[_figures(found[delay_ms][count]), _figures(found[0.0][count])] for delay_ms in DELAYS_MS]
            ways = [_median(seen, without, place) for seen, without in rows]
            axes.plot(DELAYS_MS, ways, "o-", color=colour, label=f"{count} in flight", markersize=4)
        axes.axvline(knee_ms, color="#b83280", linewidth=1.2, label=f"knee: {knee_ms:g} ms")
        axes.set_xscale("symlog", linthresh=1)
        axes.set_xticks(DELAYS_MS, [f"{delay_ms:g}" for delay_ms in DELAYS_MS])
        axes.set(title=title, xlabel="queue delay of each stage, ms")
        axes.set_ylim(bottom=0)
        axes.grid(visible=True, color="#e4e7eb")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    figure.savefig(options.output)
    figure.savefig(options.output.with_suffix(".png"), dpi=120)


def _median(seen: Sequence[tuple[float, ...]], without: Sequence[tuple[float, ...]], place: int) -> float:
    if place == 0:
        return statistics.median(one[0] / other[0] for one, other in zip(seen, without, strict=True))
    factor = 1000 if place == 2 else 1
    return factor * statistics.median(each[place] for each in seen)


if __name__ == "__main__":
    main()
