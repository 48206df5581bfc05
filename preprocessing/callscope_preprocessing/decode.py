"""Sound in memory, for recordings that are short enough."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from callscope_preprocessing.audio import Audio
from callscope_preprocessing.pcm import FULL_SCALE
from callscope_preprocessing.sound import Sound, read_sound


def decode(path: Path) -> Audio:
    """Read a recording into memory, with the errors of `read_sound`."""
    return in_memory(read_sound(path))


def in_memory(sound: Sound) -> Audio:
    """All channels of a recording, float32 of shape (channels, frames) within [-1, 1)."""
    samples = np.empty((len(sound.tracks), sound.tracks[0].samples), np.float32)
    for row, track in zip(samples, sound.tracks, strict=True):
        np.divide(track.read(), np.float32(FULL_SCALE), out=row)
    return Audio(samples, sound.rate_hz)
