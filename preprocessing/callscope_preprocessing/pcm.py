"""Samples as 16-bit integers, as telephones, the voice activity detector and the models take them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.audio import Samples

Pcm = NDArray[np.int16]

FULL_SCALE = 32768.0


def to_int16(samples: Samples) -> Pcm:
    """Round to the nearest of 65,536 steps; sound outside [-1, 1) is held at the last step, never wrapped around.

    Args:
        samples: float32, any shape.

    Returns:
        int16 of the same shape; sound decoded from 16-bit PCM comes back bit for bit.
    """
    scaled = np.rint(samples * np.float32(FULL_SCALE))
    np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1, out=scaled)
    return np.asarray(scaled, np.int16)
