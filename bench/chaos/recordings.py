"""Short recordings of three languages, each of other content, and some that are none."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import soundfile

CALLS = Path(__file__).parents[2] / "demo" / "calls"
LANGUAGES = ("en", "ja", "ko")
SECONDS = (3.0, 4.5)
STEREO_EVERY = 4
POISONED = {
    "empty.wav": b"",
    "noise.wav": random.Random(5).randbytes(20_000),
    "letter.wav": b"Dear Sir or Madam,\n" * 50,
}


def make_recordings(folder: Path, count: int) -> None:
    """So many recordings, a quarter of them of two channels, and those of `POISONED`."""
    folder.mkdir()
    sounds = [soundfile.read(CALLS / f"{name}.wav", dtype="int16", always_2d=True) for name in LANGUAGES]
    chance = random.Random("recordings")
    for number in range(count):
        sound, rate_hz = sounds[number % len(LANGUAGES)]
        length = round(chance.uniform(*SECONDS) * rate_hz)
        start = chance.randrange(len(sound) - length)
        piece = sound[start : start + length]
        if number % STEREO_EVERY:
            piece = np.rint(piece.mean(axis=1)).astype(np.int16)
        soundfile.write(folder / f"{number:04}.wav", piece, rate_hz)
    for name, content in POISONED.items():
        (folder / name).write_bytes(content)
