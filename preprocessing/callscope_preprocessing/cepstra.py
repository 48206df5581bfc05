"""Cepstra of a track, in units long enough to tell voices apart: the shape of the spectrum without its level."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.track import Track
from callscope_preprocessing.voices.features import FRAME, HOP, RATE_HZ, log_mel

BANDS, CEPSTRA = 40, 20
BLOCK_S = 30.0
THINNING = 2
UNIT_S = 0.24
"""Speakers change between units of this length only."""
UNIT_FRAMES = round(UNIT_S * RATE_HZ / HOP / THINNING)

Units = NDArray[np.float32]


def cepstra_of(track: Track) -> Units:
    """Cepstra of every other frame, without the first one, which is the level.

    Args:
        track: sound at 16 kHz, any length.

    Returns:
        Shape (units, frames, cepstra); the last unit is left out where it is not whole.
    """
    return np.concatenate([np.zeros((0, UNIT_FRAMES, CEPSTRA), np.float32), *_blocks(track)])


def normalised(units: Units) -> Units:
    """Cepstra with mean 0 and variance 1 over the call: what its line does to all voices alike is gone."""
    return np.asarray((units - units.mean(axis=(0, 1))) / (units.std(axis=(0, 1)) + np.float32(1e-6)), np.float32)


def _blocks(track: Track) -> Iterator[Units]:
    """Whole units of each 30 s."""
    unit = round(UNIT_S * RATE_HZ)
    block = round(BLOCK_S / UNIT_S) * unit
    for first in range(0, track.samples, block):
        pcm = track.read(first, first + block + FRAME - HOP)
        features = log_mel(pcm, BANDS)[: (len(pcm) // unit) * (unit // HOP) : THINNING] @ _cosines()
        whole = min(len(features), block // HOP // THINNING) // UNIT_FRAMES
        yield features[: whole * UNIT_FRAMES].reshape(whole, UNIT_FRAMES, CEPSTRA)


def _cosines() -> Units:
    """The cosine transform from bands to cepstra 1 to 20, shape (bands, cepstra)."""
    bands = (np.arange(BANDS) + 0.5)[:, np.newaxis]
    return np.asarray(np.cos(np.pi / BANDS * bands * np.arange(1, CEPSTRA + 1)), np.float32)
