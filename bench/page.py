"""The figures of `bench.speed` as a page and a plot.

python -m bench.page benchmarks.json docs/benchmarks.md
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

OURS = "Callscope int8, in process"
SERVED = "Callscope int8, Triton, 16 clients"
CLAIMS = (
    ("in process against faster-whisper int8, batched", OURS, "faster-whisper int8, batched", "2 (2.5)"),
    ("in process against transformers float32, batched", OURS, "transformers float32, batched", "3"),
    ("Triton, 16 clients, against in process", SERVED, OURS, "0.9"),
    ("Triton, 16 clients, against faster-whisper int8, batched", SERVED, "faster-whisper int8, batched", "-"),
    ("batches of 16 against none, in process", OURS, "Callscope int8, in process, no batches", "1.5"),
    ("Triton, 16 clients against 1", SERVED, "Callscope int8, Triton, 1 client", "-"),
)
"""What is compared: in words, whose speed, against whose, and the least that was aimed at."""

Engines = Mapping[str, Mapping[str, Any]]


def page(report: Mapping[str, Any], plot: str) -> str:
    """Render the whole page in Markdown."""
    sound_s = report["windows"] * report["window_s"]
    parts = [
        "# Benchmarks",
        "`make bench` makes this page. Every engine has the same weights (random ones of Whisper's real dimensions) "
        f"and the same {report['windows']} windows of {report['window_s']} s of recorded speech, and gives "
        f"{report['tokens']} tokens a window, the most probable ones. The windows fill whole batches of 16: a "
        f"remainder would weigh on those who batch most. All run in turn, {report['rounds']} rounds, each in a process "
        "of its own; a ratio is taken within a round. Absolute times say little about another machine; ratios say "
        "more.",
        f"Machine: {report['machine']}.",
        f"![Times real time, by engine]({plot})",
    ]
    for shape, engines in report["shapes"].items():
        parts += [f"## Dimensions of whisper-{shape}", ratios(engines), table(engines, sound_s)]
    return "\n\n".join(parts) + "\n"


def ratios(engines: Engines) -> str:
    """Render how many times as fast one engine is as another: the median of the rounds, the least and the most."""
    rows = ["| speed | ratio | rounds | goal |", "|---|---|---|---|"]
    for words, fast, slow, goal in CLAIMS:
        if fast in engines and slow in engines:
            pairs = zip(engines[slow]["wall_s"], engines[fast]["wall_s"], strict=True)
            found = [slower / faster for slower, faster in pairs]
            rows.append(f"| {words} | {median(found):.2f} | {min(found):.2f} - {max(found):.2f} | {goal} |")
    return "\n".join(rows)


def table(engines: Engines, sound_s: float) -> str:
    """Render each engine's own figures."""
    rows = [
        "| engine | x real time | median | spread | peak memory | load | mean batch, encoder / decoder |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, found in engines.items():
        middle = median(found["wall_s"])
        spread = (max(found["wall_s"]) - min(found["wall_s"])) / middle
        batches = [f"{found[key]:.1f}" for key in ("encoder batch", "decoder batch") if key in found]
        rows.append(
            f"| {name} | {sound_s / middle:.0f} | {middle:.2f} s | {spread:.0%} | {found['peak_mib']:.0f} MiB | "
            f"{found['load_s']:.1f} s | {' / '.join(batches)} |"
        )
    return "\n".join(rows)


def draw(report: Mapping[str, Any], path: Path) -> None:
    """Draw how many times real time each engine reaches, with the spread of the rounds."""
    from matplotlib.figure import Figure  # noqa: PLC0415  only the plot needs it

    sound_s = report["windows"] * report["window_s"]
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    panels = figure.subplots(1, len(report["shapes"]), sharey=True, squeeze=False)[0]
    for panel, (shape, engines) in zip(panels, report["shapes"].items(), strict=True):
        speeds = [[sound_s / wall for wall in found["wall_s"]] for found in engines.values()]
        middles = [median(each) for each in speeds]
        errors = [[m - min(each) for m, each in zip(middles, speeds, strict=True)]]
        errors.append([max(each) - m for m, each in zip(middles, speeds, strict=True)])
        colours = ["tab:blue" if name.startswith("Callscope") else "tab:gray" for name in engines]
        panel.barh(list(engines), middles, xerr=errors, color=colours, capsize=2)
        panel.set(title=f"whisper-{shape}", xlabel="x real time")
    panels[0].invert_yaxis()  # shared by all
    figure.savefig(path)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path, help="what bench.speed wrote")
    parser.add_argument("page", type=Path, help="the Markdown file; the plot goes beside it")
    options = parser.parse_args()
    report = json.loads(options.report.read_text(encoding="utf-8"))
    plot = options.page.with_suffix(".svg")
    draw(report, plot)
    options.page.write_text(page(report, plot.name), encoding="utf-8")


if __name__ == "__main__":
    main()
