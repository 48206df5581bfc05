"""How well preprocessing hears: speech found and missed, noise taken out, as a page.

    python -m bench.preprocessing --audio ../shared/data --output docs/preprocessing.md

The folder holds recordings with who spoke when (`diarization/*.rttm`, `calls/*.derived.rttm`), noises and pairs of
clean and noisy speech (`noise/`). Each section of the page is a function from the folder to Markdown.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from bench.hearing import delays, denoised_speech, nonspeech, speech_found
from bench.machine import describe_machine

Section = Callable[[Path], str]
SECTIONS: dict[str, Section] = {
    "Speech found": speech_found,
    "What is no speech": nonspeech,
    "Denoising": denoised_speech,
    "Delay of denoised sound": delays,
}
"""Headings and what makes the text under each; another table is another line."""


def page(folder: Path) -> str:
    """Render the whole page in Markdown."""
    parts = [
        "# Preprocessing",
        "`make bench-preprocessing` makes this page from a folder of recordings. The rules of music were chosen on "
        "others: Asterisk's hold music and spoken prompts, music of games, and music made from seeds. Padding and "
        "hang-over, the limits of tones, the mode after RNNoise and the ratio below which `detect` denoises were "
        "chosen with some of these recordings in sight, so the figures flatter those. The folder's README names "
        "the sources.",
        f"Machine: {describe_machine()}.",
    ]
    for heading, section in SECTIONS.items():
        print(heading, flush=True)
        parts += [f"## {heading}", section(folder)]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", type=Path, default=Path("../shared/data"), help="the folder of recordings")
    parser.add_argument("--output", type=Path, default=Path("docs/preprocessing.md"), help="the Markdown file")
    options = parser.parse_args()
    if not options.audio.is_dir():
        parser.exit(2, f"There is no folder {options.audio}. Name one in AUDIO.\n")
    options.output.write_text(page(options.audio), encoding="utf-8")


if __name__ == "__main__":
    main()
