"""A track as frames of equal length, a block of them at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.pcm import FULL_SCALE, Pcm
from callscope_preprocessing.track import Track

BLOCK_FRAMES = 1 << 10
SMALLEST_POWER = 1e-12


def count_frames(track: Track, size: int) -> int:
    """How many frames of `size` samples cover the track; the last may reach beyond its end."""
    return -(-track.samples // size)


def frame_blocks(track: Track, size: int, block_frames: int = BLOCK_FRAMES) -> Iterator[Pcm]:
    """All frames in order: int16, shape (at most `block_frames`, size); beyond the end is silence."""
    for first in range(0, count_frames(track, size), block_frames):
        end = min(first + block_frames, count_frames(track, size))
        yield read_padded(track, first * size, end * size).reshape(-1, size)


def read_padded(track: Track, first: int, end: int) -> Pcm:
    """Samples `first` up to `end`, wherever they lie: int16, silence beyond the sound."""
    inside = track.read(max(first, 0), max(end, 0))
    before = min(max(-first, 0), end - first)
    return np.pad(inside, (before, end - first - before - len(inside)))


def levels_db(pcm: Pcm) -> NDArray[np.float32]:
    """Level of each frame in dB of full scale, shape (frames,); -120 for silence."""
    energy = np.einsum("fs,fs->f", pcm, pcm, dtype=np.float32, casting="unsafe")
    power = np.maximum(energy / (pcm.shape[1] * FULL_SCALE**2), SMALLEST_POWER)
    return np.asarray(10 * np.log10(power), np.float32)
