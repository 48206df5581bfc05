"""How fast Callscope recognises, against its peers: same weights, same sound, one run.

    python -m bench.speed --audio FOLDER --shape tiny --shape base

Weights are random and every window gives a fixed number of tokens, so that all engines do the same work; what they
say is compared in `bench.parity`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.checkpoints import SHAPES, write_checkpoint
from bench.engines import ENGINES, Work
from bench.machine import describe_machine
from bench.rounds import Result, compare
from bench.sound import DEMO_CALLS, windows
from callscope_export import export_whisper

WINDOW_S = 30


def main() -> None:
    """Command line."""
    options = _parse()
    sound = windows(options.audio, options.minutes * 60 // WINDOW_S)
    found = {shape: _measure(shape, sound, options) for shape in options.shape}
    about = {"machine": describe_machine(), "windows": len(sound), "tokens": options.tokens, "rounds": options.rounds}
    report = {**about, "shapes": {shape: _as_dict(results) for shape, results in found.items()}}
    options.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for shape, results in found.items():
        print(f"\n{shape}: {len(sound)} windows of {WINDOW_S} s, {options.tokens} tokens each\n")
        print(table(_as_dict(results), len(sound) * WINDOW_S))


def table(results: dict[str, dict[str, float]], sound_s: float) -> str:
    """Render one shape's results in Markdown."""
    rows = ["| engine | x real time | time, median | spread | peak memory | load |", "|---|---|---|---|---|---|"]
    for name, result in results.items():
        rows.append(
            f"| {name} | {sound_s / result['median_s']:.1f} | {result['median_s']:.2f} s | {result['spread']:.0%} | "
            f"{result['peak_mib']:.0f} MiB | {result['load_s']:.1f} s |"
        )
    return "\n".join(rows)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audio", type=Path, default=DEMO_CALLS, help="a folder of recordings [the demo calls]")
    parser.add_argument("--shape", action="append", choices=SHAPES, help="repeat it for more [tiny, base]")
    parser.add_argument("--engine", action="append", choices=ENGINES, help="repeat it for more [all]")
    parser.add_argument("--minutes", type=int, default=10, help="of sound")
    parser.add_argument("--tokens", type=int, default=80, help="that every window gives")
    parser.add_argument("--rounds", type=int, default=5, help="of which the median counts")
    parser.add_argument("--output", type=Path, default=Path("benchmarks.json"), help="where the figures go")
    options = parser.parse_args()
    options.shape = options.shape or ["tiny", "base"]
    options.engine = options.engine or list(ENGINES)
    return options


def _measure(shape: str, sound: object, options: argparse.Namespace) -> dict[str, Result]:
    with tempfile.TemporaryDirectory(prefix="callscope-bench-") as folder:
        work = prepare(Path(folder), shape, options.tokens)
        results = compare(options.engine, work, sound, options.rounds, _say)  # type: ignore[arg-type]
    for name, result in results.items():
        if result.tokens is None or result.tokens.shape != (len(sound), options.tokens):  # type: ignore[arg-type]
            raise SystemExit(f"{name} gave another number of tokens than was asked for; its time says nothing.")
    return results


def prepare(folder: Path, shape: str, tokens: int) -> Work:
    """Write a checkpoint of random weights, export it, and convert it for CTranslate2."""
    checkpoint = write_checkpoint(folder / "checkpoint", SHAPES[shape], endless=True)
    export_whisper(checkpoint, folder / "repository", parity="off", progress=_say)
    converter = [sys.executable, "-m", "ctranslate2.converters.transformers", "--model", str(checkpoint)]
    converter += ["--output_dir", str(folder / "converted")]
    converter += ["--copy_files", "tokenizer.json", "preprocessor_config.json"]
    subprocess.run(converter, check=True, capture_output=True)  # noqa: S603  the environment's own
    cores = len(os.sched_getaffinity(0))
    return Work(checkpoint, folder / "repository", folder / "converted", tokens, threads=cores)


def _as_dict(results: dict[str, Result]) -> dict[str, dict[str, float]]:
    return {
        name: {
            "median_s": statistics.median(result.wall_s),
            "spread": (max(result.wall_s) - min(result.wall_s)) / statistics.median(result.wall_s),
            "peak_mib": result.peak_mib,
            "load_s": result.load_s,
            **result.figures,
        }
        for name, result in results.items()
    }


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
