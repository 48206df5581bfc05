"""What it takes to export and serve a Whisper of large-v3's dimensions: `make bench-large`.

A random checkpoint is exported in each precision, each in a process of its own, whose peak memory is what the kernel
counted. The 8-bit export is then served by the embedded Triton, and one window goes through it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from tritonclient import grpc

from callscope_server.launcher import TritonServer

from .checkpoints import SHAPES, write_checkpoint

PRECISIONS = ("int8", "fp16", "fp32")
SERVED = "int8"
WINDOW_SAMPLES = 480_000
TOKENS = 32
STARTUP_S = 900.0
LARGE_BYTES = 1_000_000
ALIGNMENT_HEADS = [[7, 0], [10, 17], [12, 18], [13, 12], [16, 1], [17, 14], [19, 11], [21, 4], [24, 1], [25, 6]]
"""Of openai/whisper-large-v3, so that the aligner has its size (generation_config.json there)."""


@dataclass(frozen=True, slots=True)
class Export:
    """What one export took.

    Attributes:
        precision: Of the weights.
        seconds: How long it took.
        peak_bytes: The most memory that its process held at once.
        files: The size of every file of more than a megabyte, by model and name.
    """

    precision: str
    seconds: float
    peak_bytes: int
    files: dict[str, int]


@dataclass(frozen=True, slots=True)
class Served:
    """What serving took.

    Attributes:
        load_s: From the start until every model was ready.
        memory_bytes: What all processes of the server hold, pages that they share counted once.
        window_s: A window of 30 s, and `TOKENS` tokens of it.
    """

    load_s: float
    memory_bytes: int
    window_s: float


def name_heads(checkpoint: Path) -> None:
    """Name the alignment heads of large-v3 in a checkpoint that has as many layers."""
    path = checkpoint / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"alignment_heads": ALIGNMENT_HEADS}))


def export(checkpoint: Path, repository: Path, precision: str) -> Export:
    """Export in a process of its own, and ask the kernel for its peak.

    Raises:
        SystemExit: The export failed; it has said why.
    """
    command = [sys.executable, "-m", "callscope", "export", "whisper", str(checkpoint), "--parity", "off"]
    started = time.monotonic()
    process = subprocess.Popen(
        [*command, "--precision", precision, "--repository", str(repository)], stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(os.waitstatus_to_exitcode(status))
    sizes = {
        f"{path.parents[1].name}/{path.name}": path.stat().st_size for path in sorted(repository.rglob("model.onnx*"))
    }
    large = {name: size for name, size in sizes.items() if size > LARGE_BYTES}
    return Export(precision, time.monotonic() - started, usage.ru_maxrss * 1024, large)


def serve(repository: Path) -> Served:
    """Serve a repository and transcribe one window of noise."""
    started = time.monotonic()
    with TritonServer(repository, startup_timeout_s=STARTUP_S) as server:
        load_s = time.monotonic() - started
        client = grpc.InferenceServerClient(server.endpoints.grpc)
        inputs = _inputs()
        started = time.monotonic()
        result = client.infer("transcribe", inputs)
        window_s = time.monotonic() - started
        if result.as_numpy("tokens").shape[0] != 1:
            raise SystemExit("The window came back in another shape.")
        family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        memory = sum(process.memory_full_info().pss for process in family)
        client.close()
    return Served(load_s, memory, window_s)


def _inputs() -> list[grpc.InferInput]:
    noise = np.random.default_rng(0).normal(0, 1000, (1, WINDOW_SAMPLES)).astype(np.int16)
    tensors = {"audio": noise, "temperature": np.zeros((1, 1), np.float32)}
    for name, number in {"language": -1, "task": -1, "max_tokens": TOKENS}.items():
        tensors[name] = np.full((1, 1), number, np.int32)
    types = {"int16": "INT16", "int32": "INT32", "float32": "FP32"}
    inputs = [grpc.InferInput(name, list(array.shape), types[array.dtype.name]) for name, array in tensors.items()]
    for entry, array in zip(inputs, tensors.values(), strict=True):
        entry.set_data_from_numpy(array)
    return inputs


def table(exports: list[Export], served: Served | None) -> str:
    """Render what was found as Markdown."""
    lines = ["| precision | export | peak memory | files |", "|---|---|---|---|"]
    for one in exports:
        files = ", ".join(f"{name} {size / 1e9:.2f} GB" for name, size in one.files.items())
        lines.append(f"| {one.precision} | {one.seconds:.0f} s | {one.peak_bytes / 1e9:.1f} GB | {files} |")
    if served:
        lines.append("")
        lines.append(
            f"Served in {SERVED}: ready after {served.load_s:.0f} s, {served.memory_bytes / 1e9:.1f} GB, "
            f"a window of 30 s and {TOKENS} tokens in {served.window_s:.1f} s."
        )
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", choices=SHAPES, default="large-v3")
    parser.add_argument("--precision", choices=PRECISIONS, action="append", help="[all]")
    parser.add_argument("--work", type=Path, help="where the files go; some 20 GB [a temporary folder]")
    options = parser.parse_args()
    exports, served = [], None
    with tempfile.TemporaryDirectory(dir=options.work, prefix="callscope-large-") as folder:
        checkpoint = write_checkpoint(Path(folder) / "checkpoint", SHAPES[options.shape], half=True)
        if SHAPES[options.shape].decoder_layers > ALIGNMENT_HEADS[-1][0]:
            name_heads(checkpoint)
        for precision in options.precision or PRECISIONS:
            repository = Path(folder) / precision
            exports.append(export(checkpoint, repository, precision))
            if precision == SERVED:
                served = serve(repository)
            shutil.rmtree(repository)
    print(table(exports, served))


if __name__ == "__main__":
    main()
