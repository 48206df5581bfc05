"""Telephone keys, whose bursts of two tones WebRTC's detector calls speech and a recogniser writes words for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.pcm import Pcm

LOW_HZ = (697.0, 770.0, 852.0, 941.0)
HIGH_HZ = (1209.0, 1336.0, 1477.0, 1633.0)
"""ITU-T Q.23."""
TOLERANCE_HZ = 20.0
"""Q.24's 1.8 %, and half of what a frame of 30 ms can tell apart."""
LEAST_SHARE = 0.9
"""Of a frame's power, in the two tones: speech of that pitch has overtones."""
REACH = 2
"""Bins on either side of a peak that a Hann window spreads a tone over."""


def key_frames(pcm: Pcm, rate_hz: int) -> NDArray[np.bool_]:
    """Find the frames in which a key sounds, and those next to them, where it begins and ends.

    Args:
        pcm: int16, shape (frames, samples).
        rate_hz: samples a second.
    """
    return widen(pressed_frames(pcm, rate_hz))


def widen(pressed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Frames in which a key sounds, and those next to them, shape (frames,)."""
    around = pressed.copy()
    around[1:] |= pressed[:-1]
    around[:-1] |= pressed[1:]
    return around


def pressed_frames(pcm: Pcm, rate_hz: int) -> NDArray[np.bool_]:
    """Find the frames that hold a key's two tones and next to nothing else, shape (frames,).

    Args:
        pcm: int16, shape (frames, samples).
        rate_hz: samples a second.
    """
    power = np.square(np.abs(np.fft.rfft(pcm * np.hanning(pcm.shape[1]), axis=1)))
    bin_hz = rate_hz / pcm.shape[1]
    total = power.sum(axis=1)
    first, second = _take_peak(power), _take_peak(power)
    low, high = np.minimum(first, second) * bin_hz, np.maximum(first, second) * bin_hz
    pure: NDArray[np.bool_] = total - power.sum(axis=1) >= LEAST_SHARE * np.maximum(total, 1.0)
    return pure & _is_one_of(low, LOW_HZ) & _is_one_of(high, HIGH_HZ)


def _take_peak(power: NDArray[np.float64]) -> NDArray[np.int64]:
    """The strongest bin of each frame; it and those it is spread over are set to 0."""
    peak: NDArray[np.int64] = power.argmax(axis=1)
    for offset in range(-REACH, REACH + 1):
        power[np.arange(len(power)), np.clip(peak + offset, 0, power.shape[1] - 1)] = 0
    return peak


def _is_one_of(hz: NDArray[np.float64], tones_hz: tuple[float, ...]) -> NDArray[np.bool_]:
    near: NDArray[np.bool_] = np.abs(hz[:, np.newaxis] - np.array(tones_hz)).min(axis=1) <= TOLERANCE_HZ
    return near
