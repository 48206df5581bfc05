"""Steady sound: tones, hum and noise, which WebRTC's detector calls speech.

Speech rises and falls with its syllables, several times a second. Over any second of speech the level of its 30 ms
frames spreads over 5 dB and more, even far from the microphone or over noise; white noise spreads over 1 dB, and a
tone over less.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

WINDOW_S = 1.0
LEAST_SPREAD_DB = 2.0
LOWEST, HIGHEST = 10, 90
BLOCK_WINDOWS = 1 << 14


def steady_frames(levels_db: NDArray[np.float32], frame_s: float) -> NDArray[np.bool_]:
    """Find the frames that lie in a second of steady sound.

    Args:
        levels_db: level of each frame, shape (frames,).
        frame_s: length of a frame, in seconds.

    Returns:
        True for each frame of a second whose levels, without the lowest and highest tenth, stay within 2 dB;
        not for one that is 2 dB above all those.
    """
    window = round(WINDOW_S / frame_s)
    steady = np.zeros(len(levels_db), np.bool_)
    if len(levels_db) < window:
        return steady
    windows = sliding_window_view(levels_db, window)
    for first in range(0, len(windows), BLOCK_WINDOWS):
        low, high = np.percentile(windows[first : first + BLOCK_WINDOWS], (LOWEST, HIGHEST), axis=1)
        for index in np.flatnonzero(high - low < LEAST_SPREAD_DB):
            start = first + index
            # A word that begins in the last tenth of the second stands out from it.
            steady[start : start + window] |= windows[start] < high[index] + LEAST_SPREAD_DB
    return steady
