"""How loud speech is against the noise of its channel, and whether that calls for denoising."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.audio import Span
from callscope_preprocessing.frames import count_frames, frame_blocks, levels_db
from callscope_preprocessing.track import Track

FRAME_S = 0.03
NOISE_PERCENTILE, SPEECH_PERCENTILE = 20, 95
LEAST_REST_S, LEAST_REST_SHARE = 0.5, 0.1
QUIETEST_DB = -80.0
SILENT_DB = -65.0
MOST_SNR_DB = 12.0
"""Above it RNNoise costs soft voices, and the detector finds most words without it (docs/preprocessing.md)."""


def estimate_snr_db(track: Track, speech: Sequence[Span]) -> float | None:
    """Estimate the power of speech over that of noise.

    Noise is the 20th percentile of the levels outside of speech: a detector that misses words does not make it louder.
    Where less than half a second or a tenth of the track is outside, it is that of all levels: the detector may have
    taken noise that comes and goes for speech. Where it has not, the noise of a clean line is guessed louder than it
    is. Speech is the mean power in its spans, or, where none was found, the 95th percentile, less the noise.

    Args:
        track: one channel at any rate.
        speech: where speech was found.

    Returns:
        Decibels; None where nothing is louder than -65 dB of full scale.
    """
    size = max(1, round(FRAME_S * track.rate_hz))
    levels = np.concatenate([levels_db(pcm) for pcm in frame_blocks(track, size)] or [np.zeros(0, np.float32)])
    if not len(levels) or levels.max() < SILENT_DB:
        return None
    spoken = np.zeros(count_frames(track, size), np.bool_)
    for span in speech:
        spoken[round(span.start_s / FRAME_S) : round(span.end_s / FRAME_S)] = True
    least = max(LEAST_REST_S / FRAME_S, LEAST_REST_SHARE * len(levels))
    rest = levels[~spoken] if (~spoken).sum() >= least else levels
    noise_db = max(float(np.percentile(rest, NOISE_PERCENTILE)), QUIETEST_DB)
    loud = _power(levels[spoken]).mean() if spoken.any() else _power(np.percentile(levels, SPEECH_PERCENTILE))
    noise = _power(np.float64(noise_db))
    return float(10 * np.log10(max(float(loud) - float(noise), 0.01 * float(noise)) / float(noise)))


def needs_denoising(snr_db: float | None) -> bool:
    """Whether the copy that voice activity detection and diarization hear should be denoised."""
    return snr_db is not None and snr_db < MOST_SNR_DB


def _power(level_db: NDArray[np.floating] | np.floating) -> NDArray[np.float64]:
    return np.asarray(10 ** (np.asarray(level_db, np.float64) / 10))
