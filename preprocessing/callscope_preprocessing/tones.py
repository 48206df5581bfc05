"""Signalling tones: ring-back, busy and dial tones, one or two lines at a time that do not move.

ITU-T E.180 has the tones of each country: 350 to 620 Hz, on for 0.25 s and longer.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from callscope_preprocessing.spectrum import BIN_HZ, Spectrum

LEAST_PURE = 0.97
LOWEST_HZ = 340.0
"""Below lie the first harmonics of voices, and no signal."""
LEAST_S = 0.24
TOLERANCE_BINS = 1
EDGE_S = 0.06
"""How much of a tone's beginning and end is no pure line yet, within half a window."""
ECHO_S = 0.15
ECHO_DB = 10.0
"""WebRTC's detector goes on for some frames after sound ends; these are quieter than the tone by this."""


def tone_frames(spectrum: Spectrum, levels_db: NDArray[np.float32], frame_s: float) -> NDArray[np.bool_]:
    """Find the frames in which a tone sounds, its edges, and the quiet right after it, shape (frames,).

    Args:
        spectrum: of frames.
        levels_db: level of each frame.
        frame_s: their length, in seconds.
    """
    least = max(2, round(LEAST_S / frame_s))
    tone = _unmoved(spectrum, least)
    for _ in range(round(EDGE_S / frame_s)):
        tone[:-1] |= tone[1:]
        tone[1:] |= tone[:-1]
    return tone | _echo(tone, levels_db, round(ECHO_S / frame_s))


def _unmoved(spectrum: Spectrum, least: int) -> NDArray[np.bool_]:
    """Frames in a run of at least `least` pure ones whose lines do not move."""
    tone = np.zeros(len(spectrum.pure), np.bool_)
    if len(tone) < least:
        return tone
    pure = np.concatenate(([0], np.cumsum(spectrum.pure >= LEAST_PURE)))
    runs = (pure[least:] - pure[:-least] == least) & (spectrum.low_bin[least - 1 :] * BIN_HZ >= LOWEST_HZ)
    for bins in (spectrum.low_bin, spectrum.high_bin):
        runs &= np.ptp(sliding_window_view(bins, least), axis=1) <= TOLERANCE_BINS
    for offset in range(least):
        tone[offset : offset + len(runs)] |= runs
    return tone


def _echo(tone: NDArray[np.bool_], levels_db: NDArray[np.float32], reach: int) -> NDArray[np.bool_]:
    echo = np.zeros(len(tone), np.bool_)
    for end in np.flatnonzero(tone[:-1] & ~tone[1:]):
        after = slice(end + 1, end + 1 + reach)
        loudest = levels_db[max(0, end - reach) : end + 1].max()
        echo[after] |= levels_db[after] < loudest - ECHO_DB
    return echo
