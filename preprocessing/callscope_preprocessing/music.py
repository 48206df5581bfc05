"""Music on hold, which WebRTC's detector calls speech.

Three things are true of music and not of a voice: all its notes lie in one scale, so that its lines keep the same place
between two semitones for seconds on end; its power lies in narrow lines; and these are held. A voice may have some of
each, and not of all three. A voice over music is kept as long as it is the louder: its lines are then in no scale.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.spectrum import Spectrum

SCALE_S = 1.5
NEAR_S = 0.2
"""Reach, to either side of a frame, of what is known of the scale, and of the lines."""
LINES_WEIGHT, HELD_WEIGHT = 2.6, 2.8
LEAST_SCORE = 5.3
"""Logistic regression over Asterisk's five pieces of hold music, music of games, synthetic music, and Asterisk's spoken
prompts in five languages, alone and mixed at 5 to 20 dB."""
SMALLEST = 1e-9


def music_frames(spectrum: Spectrum, frame_s: float) -> NDArray[np.bool_]:
    """Find the frames in which music is the loudest, shape (frames,).

    Args:
        spectrum: of frames.
        frame_s: their length, in seconds.
    """
    wide, near = round(SCALE_S / frame_s), round(NEAR_S / frame_s)
    in_scale = _agreement(spectrum, wide)
    lines, held = mean_around(spectrum.lines, near), mean_around(spectrum.held, near)
    music: NDArray[np.bool_] = in_scale + LINES_WEIGHT * lines + HELD_WEIGHT * held > LEAST_SCORE
    return music


def _agreement(spectrum: Spectrum, reach: int) -> NDArray[np.float64]:
    """How well the lines around each frame agree on one scale, 0 to 1, less what as few loud frames agree by chance."""
    amplitude = np.maximum(sum_around(spectrum.amplitude, reach), SMALLEST)
    loud = np.square(amplitude) / np.maximum(sum_around(np.square(spectrum.amplitude), reach), SMALLEST**2)
    agreement = np.square(np.abs(sum_around(spectrum.tuned, reach)) / amplitude)
    return np.asarray(np.sqrt(np.maximum(agreement - 1 / np.maximum(loud, 1), 0)), np.float64)


def sum_around(values: NDArray[Any], reach: int) -> NDArray[Any]:
    """Sum of the values from `reach` before to `reach` after each, as far as there are any."""
    sums = np.concatenate(([0], np.cumsum(values, dtype=np.result_type(values.dtype, np.float64))))
    places = np.arange(len(values))
    around: NDArray[Any] = sums[np.minimum(places + reach + 1, len(values))] - sums[np.maximum(places - reach, 0)]
    return around


def mean_around(values: NDArray[Any], reach: int) -> NDArray[np.float64]:
    """Mean of the same values."""
    return np.asarray(sum_around(values, reach) / sum_around(np.ones(len(values)), reach), np.float64)
