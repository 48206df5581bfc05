"""How the strongest lines of a spectrum lie in the scale of semitones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LINES = 6
TOLERANCE_OCTAVES = 0.058
"""4 %, less than a semitone: how far a line may move in a frame and be the same line."""
ABSENT = -99.0
SEMITONES = 12
REFERENCE_HZ = 440.0


def tuning(power: Floats, peaks: NDArray[np.bool_], bin_hz: float, reach: int) -> tuple[NDArray[np.complex64], Floats]:
    """Where the six strongest lines lie between two semitones.

    Each line's pitch is the mean over `reach` frames to either side, as far as the line goes on there: that takes out
    vibrato, which has about a cycle in that time.

    Args:
        power: shape (frames, bins).
        peaks: which bins are lines, the same shape, neither the first bin nor the last.
        bin_hz: width of a bin.
        reach: frames on either side.

    Returns:
        The sum of exp(2 pi i * semitones), weighed by amplitude, and the sum of amplitudes, each of shape (frames,).
    """
    bins, strength = _strongest(power, peaks)
    hz = (bins + _between_bins(power, bins)) * bin_hz
    octaves = np.where(strength > 0, np.log2(hz / REFERENCE_HZ), ABSENT).astype(np.float32)
    angle = 2 * np.pi * SEMITONES * _followed(octaves, reach)
    amplitude = np.sqrt(strength)
    turned = (amplitude * np.exp(1j * angle)).sum(axis=1)
    return turned.astype(np.complex64), amplitude.sum(axis=1).astype(np.float32)


def _strongest(power: Floats, peaks: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Floats]:
    """Bins of the strongest lines and their power, 0 where there are fewer, shape (frames, LINES)."""
    only = power * peaks
    bins = np.argpartition(only[:, 1:-1], -LINES, axis=1)[:, -LINES:] + 1
    return bins, np.take_along_axis(only, bins, axis=1)


def _between_bins(power: Floats, bins: NDArray[np.int64]) -> Floats:
    """Where between its neighbours a peak lies, by a parabola through three logarithms: -0.5 to 0.5 bins."""
    left, middle, right = (np.log(np.take_along_axis(power, bins + offset, axis=1)) for offset in (-1, 0, 1))
    bend = np.minimum(left - 2 * middle + right, -1e-6)
    offset: Floats = np.clip(0.5 * (left - right) / bend, -0.5, 0.5)
    return offset


def _followed(octaves: Floats, reach: int) -> Floats:
    """Mean pitch of each line over the frames around it."""
    total, count = octaves.copy(), np.ones(octaves.shape, np.float32)
    for direction in (1, -1):
        here, alive = octaves, octaves > ABSENT
        for step in range(1, reach + 1):
            here, alive = _next(here, alive, np.roll(octaves, -direction * step, axis=0))
            total += np.where(alive, here, 0)
            count += alive
    return np.asarray(total / count, np.float32)


def _next(here: Floats, alive: NDArray[np.bool_], there: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Each line's nearest in another frame, and whether it is the same line."""
    distance = np.abs(here[:, :, np.newaxis] - there[:, np.newaxis, :])
    nearest = distance.argmin(axis=2)
    near = np.take_along_axis(distance, nearest[:, :, np.newaxis], axis=2)[:, :, 0] < TOLERANCE_OCTAVES
    alive = alive & near
    return np.where(alive, np.take_along_axis(there, nearest, axis=1), here), alive
