"""Samples as 16-bit integers, as telephones, the voice activity detector and the models take them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.audio import Samples

Pcm = NDArray[np.int16]

FULL_SCALE = 32768.0
BLOCK = 1 << 20


def to_int16(samples: Samples, out: Pcm | None = None) -> Pcm:
    """Round to the nearest of 65,536 steps; sound outside [-1, 1) is held at the last step, never wrapped around.

    Args:
        samples: float32, any shape.
        out: where to put them, contiguous, of the same shape; a new array without it.

    Returns:
        int16 of the same shape; sound decoded from 16-bit PCM comes back bit for bit.
    """
    pcm = np.empty(samples.shape, np.int16) if out is None else out
    sound, steps = samples.reshape(-1), pcm.reshape(-1)
    for first in range(0, sound.size, BLOCK):  # a long call in floats is held once, not twice
        scaled = np.rint(sound[first : first + BLOCK] * np.float32(FULL_SCALE))
        steps[first : first + BLOCK] = np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1, out=scaled)
    return pcm
