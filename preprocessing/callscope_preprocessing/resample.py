"""A change of sample rate."""

from __future__ import annotations

import numpy as np
import soxr  # type: ignore[import-untyped]  # ships no types

from callscope_preprocessing.audio import Audio


def resample(audio: Audio, rate_hz: int) -> Audio:
    """Change the sample rate with soxr's high-quality filter, which adds no delay.

    Args:
        audio: any number of channels and any length.
        rate_hz: the rate to make.

    Returns:
        The same sound at `rate_hz`, within [-1, 1]; `audio` itself where the rate is right already.

    Raises:
        ValueError: `rate_hz` is not positive.
    """
    if rate_hz <= 0:
        raise ValueError(f"A sample rate of {rate_hz} Hz is impossible. Give a positive one.")
    if audio.rate_hz == rate_hz:
        return audio
    channels = [soxr.resample(channel, audio.rate_hz, rate_hz, quality="HQ") for channel in audio.samples]
    samples = np.stack(channels) if len(channels) > 1 else channels[0][np.newaxis]  # an hour is not copied for nothing
    return Audio(np.clip(samples, -1.0, 1.0, out=samples), rate_hz)
