"""A track as frames of equal length, a block of them at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.pcm import FULL_SCALE, Pcm
from callscope_preprocessing.track import Track

Number = TypeVar("Number", np.float32, np.bool_)

BLOCK_FRAMES = 1 << 10
SMALLEST_POWER = 1e-12


def count_frames(track: Track, size: int) -> int:
    """How many frames of `size` samples cover the track; the last may reach beyond its end."""
    return -(-track.samples // size)


def frame_blocks(
    track: Track, size: int, *, first: int = 0, end: int | None = None, block_frames: int = BLOCK_FRAMES
) -> Iterator[Pcm]:
    """Frames `first` up to `end`, or all, in order: int16, shape (at most `block_frames`, size); beyond is silence."""
    stop = count_frames(track, size) if end is None else end
    for at in range(first, stop, block_frames):
        yield read_padded(track, at * size, min(at + block_frames, stop) * size).reshape(-1, size)


def measure_frames(
    track: Track,
    size: int,
    measure: Callable[[Pcm], NDArray[Number]],
    kind: type[Number],
    *,
    first: int = 0,
    end: int | None = None,
) -> NDArray[Number]:
    """What `measure` makes of a block of frames, for frames `first` up to `end`, or all, shape (frames,)."""
    measured = [measure(pcm) for pcm in frame_blocks(track, size, first=first, end=end)]
    return np.concatenate(measured or [np.zeros(0, kind)])


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
