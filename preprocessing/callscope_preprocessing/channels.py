"""Channels of a call, each once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.lag import find_lag
from callscope_preprocessing.track import Track

logger = logging.getLogger(__name__)

SAME_CORRELATION = 0.99
SILENT_VARIANCE = 1e-3
"""Of 16-bit samples: one that never changes, or hardly ever by a step."""
REACH = 2
"""Samples on either side of a lag that take part in the comparison, since a recorder's delay is no whole number."""
BLOCK = 1 << 18
"""Samples compared at a time: sums of so many products are exact in floats."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """A channel that holds no sound of its own.

    Attributes:
        channel: index of the channel.
        of: index of the earlier channel that it repeats.
        correlation: how alike they are, 0.99 to 1.
        lag_s: how much later it has the sound, in seconds; negative where it is ahead.
        silent: whether neither holds any sound.
    """

    channel: int
    of: int
    correlation: float
    lag_s: float = 0.0
    silent: bool = False

    def __str__(self) -> str:
        if self.silent:
            return f"channel {self.channel} is as silent as channel {self.of}"
        later = f", {1000 * self.lag_s:+.1f} ms later" if self.lag_s else ""
        return f"channel {self.channel} repeats channel {self.of}{later} (correlation {self.correlation:.4f})"


def distinct_channels(tracks: Sequence[Track]) -> tuple[int, ...]:
    """Indices of the channels to keep, in their order: each sound once. See `repeated_channels`."""
    repeats = repeated_channels(tracks)
    for repeat in repeats:
        logger.info("%s: it is left out.", repeat)
    repeated = {repeat.channel for repeat in repeats}
    return tuple(index for index in range(len(tracks)) if index not in repeated)


def repeated_channels(tracks: Sequence[Track]) -> tuple[Repeat, ...]:
    """Find the channels that repeat an earlier one: a mono call that is stored as stereo.

    Two channels are the same sound when the size of their correlation over the whole call is above 0.99, at whatever
    level and polarity, and also where a recorder has shifted one of them by up to 50 ms. Silent channels are the same
    as each other and unlike any sound: one beside speech is kept.

    Args:
        tracks: channels of one recording, at one rate.

    Returns:
        One `Repeat` for each channel to leave out, in their order.
    """
    kept: list[int] = []
    repeats: list[Repeat] = []
    for channel in range(len(tracks)):
        found = (_compare(tracks, earlier, channel) for earlier in kept)
        repeat = next((one for one in found if one is not None), None)
        if repeat is None:
            kept.append(channel)
        else:
            repeats.append(repeat)
    return tuple(repeats)


def _compare(tracks: Sequence[Track], earlier: int, channel: int) -> Repeat | None:
    """How the one repeats the other, None where it does not."""
    first, second = tracks[earlier], tracks[channel]
    level = _covariance(first, second, 0, 0)
    variances = np.diag(level)[[0, -1]]
    if (variances < SILENT_VARIANCE).any():
        silent = bool((variances < SILENT_VARIANCE).all())
        return Repeat(channel, earlier, 1.0, silent=True) if silent else None
    correlation = _explained(level)
    if correlation > SAME_CORRELATION:
        return Repeat(channel, earlier, correlation)
    lag = find_lag(first, second)
    if lag is None:
        return None
    correlation = _explained(_covariance(first, second, lag, REACH))
    return Repeat(channel, earlier, correlation, lag / first.rate_hz) if correlation > SAME_CORRELATION else None


def _explained(covariance: NDArray[np.float64]) -> float:
    """Multiple correlation of the last signal with the others: 1 where it is a weighted sum of them."""
    inputs, shared, variance = covariance[:-1, :-1], covariance[:-1, -1], covariance[-1, -1]
    weights = np.linalg.lstsq(inputs, shared, rcond=1e-9)[0]
    return float(np.sqrt(max(weights @ shared, 0.0) / variance)) if variance > 0 else 0.0


def _covariance(first: Track, second: Track, lag: int, reach: int) -> NDArray[np.float64]:
    """Covariance of `first`, moved by `lag` - `reach` to `lag` + `reach` samples, and of `second` as the last."""
    count = 2 * reach + 2
    total, products, samples = np.zeros(count), np.zeros((count, count)), 0
    begin, end = max(0, lag + reach), min(second.samples, first.samples + lag - reach)
    for start in range(begin, end, BLOCK):
        stop = min(start + BLOCK, end)
        own = first.read(start - lag - reach, stop - lag + reach).astype(np.float64)
        size = stop - start
        moved = [own[offset : offset + size] for offset in range(2 * reach, -1, -1)]
        block = np.stack([*moved, second.read(start, stop).astype(np.float64)])
        total += block.sum(axis=1)
        products += block @ block.T
        samples += size
    mean = total / max(samples, 1)
    covariance: NDArray[np.float64] = products / max(samples, 1) - np.outer(mean, mean)
    return covariance
