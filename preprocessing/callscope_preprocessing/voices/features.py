"""Energies of speech in 80 mel bands, as Kaldi and the voice networks have them."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.pcm import Pcm

RATE_HZ = 16_000
FRAME, HOP, FFT = 400, 160, 512
"""25 ms, 10 ms and the transform, in samples."""
LOWEST_HZ = 20.0
EMPHASIS = 0.97
BLOCK = 4096

Features = NDArray[np.float32]


@cache
def _bank(bands: int) -> Features:
    """Triangles in mel, shape (bins, bands)."""

    def mel(hz: float | NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(1127.0 * np.log1p(np.asarray(hz) / 700.0))

    edges = np.linspace(mel(LOWEST_HZ), mel(RATE_HZ / 2), bands + 2)[:, np.newaxis]
    bins = mel(np.arange(FFT // 2 + 1) * RATE_HZ / FFT)[np.newaxis]
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(rise, fall)).astype(np.float32).T


def log_mel(pcm: Pcm, bands: int = 80) -> Features:
    """Log energies, shape (frames, bands), frame n from sample 160 n to 160 n + 400; none from under 25 ms.

    Args:
        pcm: int16 at 16 kHz, shape (samples,).
        bands: how many bands, from 20 Hz to 8 kHz.
    """
    if len(pcm) < FRAME:
        return np.zeros((0, bands), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(pcm, FRAME)[::HOP]
    blocks = (frames[first : first + BLOCK] for first in range(0, len(frames), BLOCK))
    return np.concatenate([np.log(np.maximum(_power(block) @ _bank(bands), np.float32(1e-7))) for block in blocks])


def _power(frames: Pcm) -> Features:
    """Power spectra of frames without their mean, pre-emphasised, under Povey's window."""
    window = (np.hanning(FRAME) ** 0.85).astype(np.float32)
    level = frames.astype(np.float32)
    level -= level.mean(axis=1, keepdims=True)
    level[:, 1:] -= np.float32(EMPHASIS) * level[:, :-1]
    level[:, 0] *= np.float32(1 - EMPHASIS)
    spectra = np.fft.rfft(level * window, FFT)
    return np.asarray(spectra.real**2 + spectra.imag**2, np.float32)
