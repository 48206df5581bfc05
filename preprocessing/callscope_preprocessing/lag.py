"""How much later one channel has the sound of another."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.track import Track

LONGEST_S = 0.05
"""Recorders shift a channel by 20 ms and less."""
STRETCHES, STRETCH_S = 8, 2.0
LEAST_ALIKE = 0.7
"""Correlation, at the lag, of sound that may be the same."""


def find_lag(first: Track, second: Track) -> int | None:
    """Find it by cross-correlation of the loudest two seconds in each eighth of the call.

    Args:
        first: a channel.
        second: another of the same recording, at the same rate.

    Returns:
        Samples by which `second` is later than `first`, at most 50 ms either way; negative where it is ahead, None
        where they are not alike at any lag.
    """
    reach = round(LONGEST_S * first.rate_hz)
    total, power = np.zeros(2 * reach + 1), 0.0
    for start in _loudest(first):
        size = round(STRETCH_S * first.rate_hz)
        one = _centred(first.read(start, start + size))
        other = _centred(second.read(start, start + size))
        total += _cross_correlation(one, other, reach)
        power += float(np.sqrt((one @ one) * (other @ other)))
    best = int(np.argmax(np.abs(total)))
    return best - reach if power > 0 and abs(total[best]) >= LEAST_ALIKE * power else None


def _centred(pcm: NDArray[np.int16]) -> NDArray[np.float64]:
    floats = pcm.astype(np.float64)
    return floats - floats.mean() if len(floats) else floats


def _loudest(track: Track) -> Iterator[int]:
    """Where the loudest stretch of each section begins, in samples."""
    energy = [float(np.square(block.astype(np.float32)).sum()) for block in track.blocks(STRETCH_S)]
    size = round(STRETCH_S * track.rate_hz)
    for section in np.array_split(np.arange(len(energy)), STRETCHES):
        if len(section):
            yield int(max(section, key=energy.__getitem__)) * size


def _cross_correlation(first: NDArray[np.float64], second: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Sum of first[n] * second[n + lag] for lags from -`reach` to `reach`, shape (2 * reach + 1,)."""
    size = 1 << (max(len(first), len(second)) + reach).bit_length()
    spectrum = np.conj(np.fft.rfft(first, size)) * np.fft.rfft(second, size)
    around = np.fft.irfft(spectrum, size)
    return np.concatenate((around[-reach:], around[: reach + 1]))
