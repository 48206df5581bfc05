"""Windows of recorded speech for the benchmarks, whole seconds of it one after another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

RATE_HZ = 16_000
DEMO_CALLS = Path(__file__).parents[1] / "demo" / "calls"
SUFFIXES = {".wav", ".flac"}


def windows(folder: Path, count: int, window_s: int = 30) -> NDArray[np.int16]:
    """Cut the recordings of a folder, joined, into windows; begin again where they do not last.

    Args:
        folder: Where the recordings are, at any depth, WAV or FLAC.
        count: How many windows.
        window_s: The length of each.

    Returns:
        Shape (count, samples), 16 kHz.

    Raises:
        SystemExit: There is no recording.
    """
    samples = window_s * RATE_HZ
    return np.resize(recording(folder), count * samples).reshape(count, samples)


def recording(folder: Path) -> NDArray[np.int16]:
    """Join the recordings of a folder: shape (samples,), 16 kHz.

    Raises:
        SystemExit: There is no recording.
    """
    sound = np.concatenate([*_recordings(folder)] or [np.zeros(0, np.int16)])
    if not len(sound):
        raise SystemExit(f"{folder} holds no WAV or FLAC file. Name a folder of recordings.")
    return sound


def _recordings(folder: Path) -> Iterator[NDArray[np.int16]]:
    for path in sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES):
        sound, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
        mono = soxr.resample(sound.mean(axis=1), rate_hz, RATE_HZ)
        yield np.rint(np.clip(mono, -1, 1) * 32767).astype(np.int16)
