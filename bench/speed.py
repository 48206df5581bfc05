"""How fast Callscope recognises, against its peers: same weights, same sound, one run.

    python -m bench.speed --audio FOLDER --shape tiny --shape base

Weights are random and every window gives a fixed number of tokens, so that all engines do the same work; what they
say is compared in `bench.parity`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.checkpoints import SHAPES, write_checkpoint
from bench.engines import BATCH, ENGINES, Windows, Work
from bench.machine import describe_machine
from bench.page import ratios, table
from bench.rounds import Result, compare
from bench.sound import DEMO_CALLS, windows
from callscope_export import export_whisper

WINDOW_S = 30


def main() -> None:
    """Command line."""
    options = _parse()
    sound = windows(options.audio, options.batches * BATCH)
    about = {"machine": describe_machine(), "windows": len(sound), "window_s": WINDOW_S}
    about |= {"tokens": options.tokens, "rounds": options.rounds}
    found = {shape: _measure(shape, sound, options) for shape in options.shape}
    report = {**about, "shapes": {shape: _as_dict(results) for shape, results in found.items()}}
    options.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for shape, engines in report["shapes"].items():
        print(f"\n{shape}\n\n{ratios(engines)}\n\n{table(engines, len(sound) * WINDOW_S)}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audio", type=Path, default=DEMO_CALLS, help="a folder of recordings [the demo calls]")
    parser.add_argument("--shape", action="append", choices=SHAPES, help="repeat it for more [tiny, base]")
    parser.add_argument("--engine", action="append", choices=ENGINES, help="repeat it for more [all]")
    parser.add_argument("--batches", type=int, default=3, help=f"of {BATCH} windows of {WINDOW_S} s")
    parser.add_argument("--tokens", type=int, default=80, help="that every window gives")
    parser.add_argument("--rounds", type=int, default=5, help="of which the median counts")
    parser.add_argument("--output", type=Path, default=Path("benchmarks.json"), help="where the figures go")
    options = parser.parse_args()
    options.shape = options.shape or ["tiny", "base"]
    options.engine = options.engine or list(ENGINES)
    return options


def _measure(shape: str, sound: Windows, options: argparse.Namespace) -> dict[str, Result]:
    with tempfile.TemporaryDirectory(prefix="callscope-bench-") as folder:
        work = prepare(Path(folder), shape, options.tokens)
        results = compare(options.engine, work, sound, options.rounds, _say)
    for name, result in results.items():
        if result.tokens is None or result.tokens.shape != (len(sound), options.tokens):
            raise SystemExit(f"{name} gave another number of tokens than was asked for; its time says nothing.")
    return results


def prepare(folder: Path, shape: str, tokens: int) -> Work:
    """Write a checkpoint of random weights, export it, and convert it for CTranslate2."""
    checkpoint = write_checkpoint(folder / "checkpoint", SHAPES[shape], endless=True)
    export_whisper(checkpoint, folder / "repository", parity="off", progress=_say)
    converter = [sys.executable, "-m", "ctranslate2.converters.transformers", "--model", str(checkpoint)]
    converter += ["--output_dir", str(folder / "converted")]
    converter += ["--copy_files", "tokenizer.json", "preprocessor_config.json"]
    subprocess.run(converter, check=True, capture_output=True)
    cores = len(os.sched_getaffinity(0))
    return Work(checkpoint, folder / "repository", folder / "converted", tokens, threads=cores)


def _as_dict(results: Mapping[str, Result]) -> dict[str, dict[str, Any]]:
    return {
        name: {"wall_s": each.wall_s, "peak_mib": each.peak_mib, "load_s": each.load_s, **each.figures}
        for name, each in results.items()
    }


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
