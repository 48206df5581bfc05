"""Channels of a call, each once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.audio import Audio, Samples

SAME_CORRELATION = 0.99
BLOCK_FRAMES = 1 << 18
SILENT_VARIANCE = 1e-12


def split_channels(audio: Audio) -> tuple[Audio, ...]:
    """Split into single channels, leaving out those that repeat an earlier one.

    Two channels are the same sound when the size of their correlation is above 0.99: a mono call stored as stereo,
    at whatever level and polarity. Silent channels are the same as each other and unlike any sound.

    Args:
        audio: one or more channels.

    Returns:
        The channels that differ, in their order; each has shape (1, frames).
    """
    same = np.abs(_correlation(audio.samples)) > SAME_CORRELATION
    kept: list[int] = []
    for channel in range(audio.channels):
        if not same[channel, kept].any():
            kept.append(channel)
    return tuple(Audio(audio.samples[channel : channel + 1], audio.rate_hz) for channel in kept)


def _correlation(samples: Samples) -> NDArray[np.float64]:
    """Pearson correlation of each pair of channels, shape (channels, channels); 1 between two silent ones."""
    channels, frames = samples.shape
    total, products = np.zeros(channels), np.zeros((channels, channels))
    for start in range(0, frames, BLOCK_FRAMES):
        block = samples[:, start : start + BLOCK_FRAMES].astype(np.float64)
        total += block.sum(axis=1)
        products += block @ block.T
    mean = total / max(frames, 1)
    covariance = products / max(frames, 1) - np.outer(mean, mean)
    variance = np.diag(covariance)
    silent = variance < SILENT_VARIANCE
    covariance[np.ix_(silent, silent)] = 1.0
    deviation = np.sqrt(np.where(silent, 1.0, variance))
    correlation: NDArray[np.float64] = covariance / np.outer(deviation, deviation)
    return correlation
