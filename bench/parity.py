"""Whether the exported graphs say what transformers says, at Whisper's real dimensions.

    python -m bench.parity --audio FOLDER --windows 200 --shape tiny --shape base

Every window goes through both from its samples to its tokens; neither is given anything of the other's. Only the
log-probabilities are compared on the same text, that of the graphs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.checkpoints import SHAPES, write_checkpoint
from bench.cuts import cuts
from bench.generator import Generator
from bench.graphs import Graphs, changed_by_company, parts
from bench.machine import describe_machine
from bench.sound import DEMO_CALLS, recording
from callscope_export import export_whisper
from callscope_export.checkpoint import open_checkpoint
from callscope_export.parity import is_text
from callscope_export.whisper import WhisperSettings, read_whisper

DEMO = "recogniser"
DEMO_CHECKPOINT = Path(__file__).parents[1] / "demo" / "checkpoints" / DEMO
DEFAULT_SHAPES = (DEMO, "tiny", "tiny.en", "tiny-128", "distil-base", "base")
BATCH = 8
TIE = 1e-4
"""Two scores closer than this are as good as each other."""
LIMITS = {"mel": 1e-4, "states": 1e-3, "logprobs": 1e-3}
MOST_CHANGED = 1
Array = NDArray[Any]
Windows = NDArray[np.int16]


@dataclass(slots=True)
class Found:
    """What was seen of one shape.

    Attributes:
        windows: how many were compared.
        tokens: how many the graphs wrote.
        mel: largest difference of the spectrogram.
        states: of the encoder's states.
        logprobs: of the log-probabilities of the tokens that the graphs wrote.
        gaps: by window, where the tokens or the language are others: how far transformers' two best scores lie apart
            at the first token that it would not have written.
        changed: windows whose INT8 tokens depend on their company; None where it was not asked.
    """

    windows: int = 0
    tokens: int = 0
    mel: float = 0.0
    states: float = 0.0
    logprobs: float = 0.0
    gaps: dict[int, float] = field(default_factory=dict)
    changed: int | None = None

    def failures(self) -> list[str]:
        """Tell what is beyond its limit; NaN is beyond any."""
        beyond = [name for name, limit in LIMITS.items() if not getattr(self, name) <= limit]
        failures = [f"{name} differ by {getattr(self, name):.2g}" for name in beyond]
        failures += [f"window {window} has other tokens" for window, gap in self.gaps.items() if not gap < TIE]
        changed = self.changed or 0
        return failures + ([f"{changed} windows depend on their company"] if changed > MOST_CHANGED else [])


def main() -> None:
    """Command line."""
    options = _parse()
    sound = recording(options.audio)
    found = {shape: measure(shape, sound, options.windows, options.tokens) for shape in options.shape}
    about = {"machine": describe_machine(), "reference": f"transformers {version('transformers')}, float32"}
    report = {**about, "limits": LIMITS, "shapes": {shape: asdict(one) for shape, one in found.items()}}
    options.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"{about['machine']}; {about['reference']}\n\n{table(found)}")
    if failures := [f"{shape}: {failure}" for shape, one in found.items() for failure in one.failures()]:
        raise SystemExit("Beyond the limits: " + "; ".join(failures))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", type=Path, default=DEMO_CALLS, help="a folder of WAV and FLAC files")
    parser.add_argument("--windows", type=int, default=200, help="how many, for each shape")
    parser.add_argument("--tokens", type=int, default=32, help="that a window gives where weights are random")
    parser.add_argument("--shape", action="append", choices=(DEMO, *SHAPES), help="repeatable")
    parser.add_argument("--output", type=Path, default=Path("parity.json"), help="where the figures go")
    options = parser.parse_args()
    options.shape = options.shape or DEFAULT_SHAPES
    return options


def table(found: dict[str, Found]) -> str:
    """Render the figures in Markdown."""
    rows = ["| shape | windows | tokens | mel | states | log-probabilities | other tokens | ties |"]
    rows.append("|---" * 8 + "|")
    for shape, one in found.items():
        ties = sum(gap < TIE for gap in one.gaps.values())
        figures = " | ".join(f"{figure:.1e}" for figure in (one.mel, one.states, one.logprobs))
        rows.append(f"| {shape} | {one.windows} | {one.tokens} | {figures} | {len(one.gaps)} | {ties} |")
    told = [
        f"\n{shape}, INT8: {one.changed} of {one.windows} windows have other tokens in a batch than alone"
        for shape, one in found.items()
        if one.changed is not None
    ]
    return "\n".join(rows + told)


def measure(shape: str, sound: Windows, windows: int, tokens: int) -> Found:
    """Compare a shape of random weights, or the demo checkpoint, which writes as much as it will.

    Args:
        shape: A name of `SHAPES`, or `DEMO`.
        sound: What windows are cut of, shape (samples,).
        windows: How many.
        tokens: How many each gives where weights are random.
    """
    with tempfile.TemporaryDirectory(prefix="callscope-bench-") as name:
        folder = Path(name)
        demo = shape == DEMO
        checkpoint = DEMO_CHECKPOINT if demo else write_checkpoint(folder / "weights", SHAPES[shape], endless=True)
        settings = read_whisper(open_checkpoint(checkpoint))
        audio = cuts(sound, windows, settings.mel.window_samples)
        graphs = _export(checkpoint, folder, settings, "fp32")
        found = _compare(graphs, Generator(checkpoint, settings), audio, settings.max_tokens if demo else tokens)
        if demo:
            found.changed = changed_by_company(_export(checkpoint, folder, settings, "int8"), audio)
    print(f"{shape}: {found}", file=sys.stderr, flush=True)
    return found


def _export(checkpoint: Path, folder: Path, settings: WhisperSettings, precision: str) -> Graphs:
    export_whisper(checkpoint, folder / precision, precision=precision, parity="off")
    return Graphs(folder / precision, settings)


def _compare(graphs: Graphs, generator: Generator, audio: Windows, tokens: int) -> Found:
    found = Found()
    for part in parts(audio, BATCH):
        _compare_batch(graphs, generator, part, tokens, found)
        print(f"{found.windows} of {len(audio)} windows", file=sys.stderr, flush=True)
    return found


def _compare_batch(graphs: Graphs, generator: Generator, audio: Windows, tokens: int, found: Found) -> None:
    mel = generator.mel(audio)
    states = generator.states(mel)
    ours = graphs.run(audio, tokens)
    language, text = generator.generated(states, tokens)
    forced = generator.forced(states, ours)
    written = is_text(ours["tokens"], generator.settings.prompt.end_of_text)
    found.mel = _larger(found.mel, ours["mel"] - mel)
    found.states = _larger(found.states, ours["states"] - states)
    found.logprobs = _larger(found.logprobs, (ours["logprobs"] - forced.logprobs)[written])
    same = (ours["chosen_language"] == language)[:, 0] & (ours["tokens"] == text).all(axis=1)
    other = (ours["tokens"] != forced.best) & written
    for row in np.flatnonzero(~same):
        gap = forced.gaps[row, other[row].argmax()] if other[row].any() else np.inf
        found.gaps[found.windows + int(row)] = float(gap)
    found.windows, found.tokens = found.windows + len(audio), found.tokens + int(written.sum())


def _larger(seen: float, difference: Array) -> float:
    """The largest difference so far; NaN stays."""
    return float(np.maximum(seen, np.abs(difference).max()))


if __name__ == "__main__":
    main()
