"""What serving costs: Triton over gRPC and HTTP against the same graphs called in this process.

    python -m bench.serving [--shape tiny]

The graphs, their threads and the largest batch are those of the repository. Each round lets every way have the machine
in turn; a ratio is taken within a round. Beside the throughput stands the processor time of a window, of the server,
its models and this process together: at saturation it bounds the throughput, and other work on the machine moves it
little.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import psutil
from tests.repository_files import parameters, read_config

from bench.checkpoints import SHAPES, write_checkpoint
from bench.machine import describe_machine
from bench.saturation import Saturated, Windows, asking, requests, saturate
from bench.sound import DEMO_CALLS, windows
from callscope.triton.transport import connect
from callscope_export import export_whisper
from callscope_server import TritonServer, ensure_environment

DEMO = Path(__file__).parents[1] / "model_repository"
GRAPHS = ("log_mel", "whisper_encoder", "whisper_decoder")
IN_PROCESS, GRPC, HTTP = "in process", "Triton, gRPC", "Triton, HTTP"
RATIOS = ((GRPC, IN_PROCESS), (HTTP, IN_PROCESS), (HTTP, GRPC))
Way = Callable[[], Saturated]


@dataclass(frozen=True, slots=True)
class Round:
    """What one way did in one round: windows a second, and windows for each second of processor time."""

    rate: float
    rate_of_cpu: float


class InProcess:
    """The graphs of a repository in ONNX Runtime, with the threads that their configs name."""

    def __init__(self, repository: Path, bodies: Sequence[Mapping[str, Any]], batch: int) -> None:
        self._mel, self._encoder, self._decoder = (_open(repository, name) for name in GRAPHS)
        self._bodies, self._batch = bodies, batch

    def throughput(self, answers: int) -> Saturated:
        """Windows a second, in whole batches, after one that does not count."""
        count = max(1, round(answers / self._batch))
        self._run(0)
        began = time.perf_counter()
        for number in range(count):
            self._run(number)
        return Saturated(count * self._batch / (time.perf_counter() - began), (1 + count) * self._batch)

    def _run(self, number: int) -> None:
        picked = [self._bodies[(number * self._batch + row) % len(self._bodies)] for row in range(self._batch)]
        inputs = {name: np.concatenate([body[name] for body in picked]) for name in picked[0]}
        (mel,) = self._mel.run(None, {"audio": inputs.pop("audio")})
        (states,) = self._encoder.run(None, {"mel": mel})
        self._decoder.run(None, {"states": states, **inputs})


def _open(repository: Path, name: str) -> onnxruntime.InferenceSession:
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = int(parameters(read_config(repository, name))["intra_op_thread_count"])
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")  # as the served ones
    (graph,) = (repository / name).glob("*/model.onnx")
    return onnxruntime.InferenceSession(graph, settings, providers=["CPUExecutionProvider"])


def measure(repository: Path, sound: Windows, options: argparse.Namespace) -> dict[str, list[Round]]:
    """What each way did, round by round."""
    bodies = requests(sound, options.tokens)
    inside = InProcess(repository, bodies, options.batch)
    with TritonServer(repository, environment=ensure_environment(), startup_timeout_s=600) as server:
        ways: dict[str, Way] = {IN_PROCESS: lambda: inside.throughput(options.answers)}
        for name, url in ((GRPC, f"grpc://{server.endpoints.grpc}"), (HTTP, f"http://{server.endpoints.http}")):
            ways[name] = lambda url=url: asyncio.run(_served(url, bodies, options))  # type: ignore[misc]
        found: dict[str, list[Round]] = {name: [] for name in ways}
        for turn in range(options.rounds):
            for name in (*ways,) if turn % 2 == 0 else reversed([*ways]):
                found[name].append(_round(ways[name], server.pid))
                last = found[name][-1]
                told = f"{last.rate:.2f} windows/s, {1 / last.rate_of_cpu:.3f} s of processor time each"
                print(f"round {turn + 1} of {options.rounds}, {name}: {told}", flush=True)
    return found


def _round(way: Way, pid: int) -> Round:
    family = [psutil.Process(), psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    before = sum(_cpu_s(each) for each in family)
    done = way()
    return Round(done.per_s, done.answers / (sum(_cpu_s(each) for each in family) - before))


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _served(url: str, bodies: Sequence[Mapping[str, Any]], options: argparse.Namespace) -> Saturated:
    transport = connect(url, timeout_s=600)
    try:
        return await saturate(asking(transport, bodies), options.in_flight, options.answers)
    finally:
        await transport.close()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", choices=["demo", *SHAPES], default="demo", help="random weights of these dimensions")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--answers", type=int, default=128, help="that count, a round")
    parser.add_argument("--in-flight", type=int, default=48, help="requests without an answer at any time")
    parser.add_argument("--batch", type=int, default=16, help="in process; Triton's is in its configs")
    parser.add_argument("--tokens", type=int, default=80, help="the most a window gives; random weights give as many")
    parser.add_argument("--json", type=Path, help="write the figures there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="callscope-bench-") as folder:
        repository = repository_of(options.shape, Path(folder))
        samples = int(parameters(read_config(repository, "transcribe"))["window_samples"])
        found = measure(repository, windows(DEMO_CALLS, 16, samples // 16_000), options)
    _show(found, options)


def repository_of(shape: str, folder: Path) -> Path:
    """The demo's repository, or one with random weights of a published checkpoint's dimensions."""
    if shape == "demo":
        return DEMO
    checkpoint = write_checkpoint(folder / "checkpoint", SHAPES[shape], endless=True)
    export_whisper(checkpoint, folder / "repository", parity="off")
    return folder / "repository"


def _show(found: Mapping[str, list[Round]], options: argparse.Namespace) -> None:
    print(f"\n{options.shape}: {options.in_flight} requests in flight, {describe_machine()}\n")
    ratios = {}
    for what, of in (("windows/s", _rate), ("windows for a second of processor", _rate_of_cpu)):
        rates = {name: [of(each) for each in rounds] for name, rounds in found.items()}
        for name, each in rates.items():
            print(f"{name:<30} {_spread(each)}  {what}")
        for one, other in RATIOS:
            each = [a / b for a, b in zip(rates[one], rates[other], strict=True)]
            print(f"{f'{one} / {other}':<30} {_spread(each)}")
            ratios[f"{one} / {other}, {what}"] = each
        print()
    if options.json:
        rounds = {name: [asdict(each) for each in every] for name, every in found.items()}
        options.json.write_text(json.dumps({"rounds": rounds, "ratios": ratios}, indent=1) + "\n", encoding="utf-8")


def _rate(each: Round) -> float:
    return each.rate


def _rate_of_cpu(each: Round) -> float:
    return each.rate_of_cpu


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):8.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
