"""How long a server takes to be ready, where that time goes, and what memory it then holds.

    python -m bench.startup --shape tiny --shape base --shape small

Compared with what any server pays that builds its sessions in one process out of FP32 graphs, one after another, and
with the FP32 repository in the same server. Files are in the page cache: each start but the first finds them there.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.checkpoints import SHAPES, write_checkpoint
from bench.machine import describe_machine
from bench.served import GRAPHS, Start, start
from callscope_export import export_whisper
from callscope_server import Environment, ensure_environment

PRECISIONS = ("int8", "fp32")
SESSIONS = """
import json, sys, time
import onnxruntime
opened = []
began = time.perf_counter()
for path, threads in json.loads(sys.argv[1]):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    opened.append(onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]))
print(time.perf_counter() - began)
"""
Figures = dict[str, float]


def main() -> None:
    """Command line."""
    options = _parse()
    environment = ensure_environment(progress=_say)
    found = {shape: _measure(shape, environment, options.rounds) for shape in options.shape}
    report = {"machine": describe_machine(), "rounds": options.rounds, "shapes": found}
    options.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"{report['machine']}; medians of {options.rounds}\n\n{table(found)}\n\n{phases(found)}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", action="append", choices=SHAPES, help="repeatable; tiny, base and small by default")
    parser.add_argument("--rounds", type=int, default=5, help="of which the median counts")
    parser.add_argument("--output", type=Path, default=Path("startup.json"), help="where the figures go")
    options = parser.parse_args()
    options.shape = options.shape or ["tiny", "base", "small"]
    return options


def _measure(shape: str, environment: Environment, rounds: int) -> dict[str, Figures]:
    with tempfile.TemporaryDirectory(prefix="callscope-bench-") as folder:
        checkpoint = write_checkpoint(Path(folder) / "checkpoint", SHAPES[shape], endless=True)
        for precision in PRECISIONS:
            export_whisper(checkpoint, Path(folder) / precision, precision=precision, parity="off")
        starts: dict[str, list[Start]] = {precision: [] for precision in PRECISIONS}
        built: dict[str, list[float]] = {precision: [] for precision in PRECISIONS}
        for number in range(rounds):
            for precision in PRECISIONS:
                starts[precision].append(start(Path(folder) / precision, environment))
                built[precision].append(_build_sessions(Path(folder) / precision, environment))
            _say(f"{shape}: round {number + 1} of {rounds}, ready after {starts['int8'][-1].ready_s:.2f} s")
    return {precision: _medians(starts[precision], built[precision]) for precision in PRECISIONS}


def _build_sessions(repository: Path, environment: Environment) -> float:
    """Open the graphs one after another in a process of its own, with the threads of their configs: seconds."""
    graphs = [(str(next((repository / name).glob("*/model.onnx"))), _threads(repository / name)) for name in GRAPHS]
    command = [environment.path / "bin" / "python", "-I", "-c", SESSIONS, json.dumps(graphs)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _threads(model: Path) -> int:
    config = (model / "config.pbtxt").read_text(encoding="utf-8")
    return int(config.split('key: "intra_op_thread_count"')[1].split('"')[1])


def _medians(starts: list[Start], built: list[float]) -> Figures:
    def median(of: Callable[[Start], float]) -> float:
        return statistics.median(of(one) for one in starts)

    figures = {"ready_s": median(lambda one: one.ready_s), "sessions_s": statistics.median(built)}
    figures |= {"loaded_mib": median(lambda one: one.loaded_mib), "worked_mib": median(lambda one: one.worked_mib)}
    return figures | {
        name: statistics.median(one.phases[name] for one in starts) for name in starts[0].phases
    }  # fmt: skip


def table(found: dict[str, dict[str, Figures]]) -> str:
    """Render times and memory in Markdown."""
    rows = ["| shape | INT8 ready | FP32 ready | FP32 sessions alone | INT8 / sessions | memory loaded, INT8 / FP32 |"]
    rows[0] += " after a window, INT8 / FP32 |"
    rows.append("|---" * 7 + "|")
    for shape, by_precision in found.items():
        int8, fp32 = (by_precision[precision] for precision in PRECISIONS)
        times = f"{int8['ready_s']:.2f} s | {fp32['ready_s']:.2f} s | {fp32['sessions_s']:.2f} s"
        share = f"{int8['ready_s'] / fp32['sessions_s']:.0%}"
        memory = " | ".join(
            f"{int8[name]:.0f} / {fp32[name]:.0f} MiB = {int8[name] / fp32[name]:.0%}"
            for name in ("loaded_mib", "worked_mib")
        )
        rows.append(f"| {shape} | {times} | {share} | {memory} |")
    return "\n".join(rows)


def phases(found: dict[str, dict[str, Figures]]) -> str:
    """Render where the time goes in Markdown; models load side by side, so that theirs overlap."""
    names = [name for name in next(iter(found.values()))["int8"] if ": " in name]
    columns = [(shape, precision) for shape in found for precision in PRECISIONS]
    rows = ["| seconds | " + " | ".join(f"{shape} {precision}" for shape, precision in columns) + " |"]
    rows.append("|---" * (len(columns) + 1) + "|")
    for name in names:
        cells = (f"{found[shape][precision][name]:.2f}" for shape, precision in columns)
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
