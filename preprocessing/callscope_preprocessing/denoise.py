"""Noise taken out of a channel, for the ears of voice activity detection and diarization.

Whisper hears the original unless it is told otherwise: denoised sound is worse for it (arXiv 2512.17562).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
import soxr  # type: ignore[import-untyped]  # ships no types

from callscope_preprocessing.frames import read_padded
from callscope_preprocessing.pcm import FULL_SCALE, Pcm, to_int16
from callscope_preprocessing.rnnoise import DELAY, FRAME, RATE_HZ, Floats, require_rnnoise, suppress_noise
from callscope_preprocessing.track import Track, TrackWriter

BLOCK_S = 60
WARM_UP_S = 4
"""Heard before each block, so that the network is in the state it would be in without the cut."""
MARGIN_S = 1
"""Heard after it: the delay, and the reach of the filters."""


def denoise(track: Track, *, workers: int = 1) -> Track:
    """Take the noise out with RNNoise, in blocks of a minute side by side, its delay taken back.

    The blocks are the same for any number of workers, and so is the sound.

    Args:
        track: one channel at any whole rate.
        workers: threads; RNNoise lets the others run.

    Returns:
        A track of the same rate and length.

    Raises:
        PackageMissing: RNNoise is not installed (the extra `denoise`).
        StorageFull: the folder for temporary files has no room.
    """
    require_rnnoise()
    writer = TrackWriter(track.rate_hz)
    starts = iter(range(0, track.samples, BLOCK_S * track.rate_hz))
    with ThreadPoolExecutor(max(1, workers)) as pool:
        while block := list(islice(starts, max(1, workers))):
            for pcm in pool.map(lambda first: _block(track, first), block):
                writer.write(pcm)
    return writer.finish()


def _block(track: Track, first: int) -> Pcm:
    """The samples of one block without noise."""
    rate_hz = track.rate_hz
    count = min(BLOCK_S * rate_hz, track.samples - first)
    pcm = read_padded(track, first - WARM_UP_S * rate_hz, first + count + MARGIN_S * rate_hz)
    heard = _change_rate(pcm.astype(np.float32), rate_hz, RATE_HZ)
    clean = suppress_noise(np.pad(heard, (0, DELAY + -(len(heard) + DELAY) % FRAME)))[DELAY : DELAY + len(heard)]
    made = _change_rate(clean, RATE_HZ, rate_hz) / np.float32(FULL_SCALE)
    skipped = WARM_UP_S * rate_hz
    return to_int16(np.pad(made, (0, max(0, skipped + count - len(made))))[skipped : skipped + count])


def _change_rate(samples: Floats, from_hz: int, to_hz: int) -> Floats:
    if from_hz == to_hz:
        return samples
    changed: Floats = soxr.resample(samples, from_hz, to_hz, quality="HQ")
    return changed
