"""Sound to test with: made here, and real recordings where there are some."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from callscope_preprocessing.audio import Audio


def babble(seconds: float, rate_hz: int, *, seed: int = 0, peak: float = 0.5) -> NDArray[np.float32]:
    """Something like a voice: harmonics of a wandering pitch, in syllables. Shape (frames,)."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    pitch = 120 + 15 * np.sin(2 * np.pi * 0.7 * time + random.uniform(0, 6))
    phase = 2 * np.pi * np.cumsum(pitch) / rate_hz
    harmonics = sum(np.sin(number * phase) / number**0.7 for number in range(1, 25))
    syllables = np.clip(np.sin(2 * np.pi * (4 - 0.7 * (seed % 3)) * time), 0, 1) ** 0.5
    voice = harmonics * syllables
    return (peak * voice / np.abs(voice).max()).astype(np.float32)


@pytest.fixture
def voice() -> Callable[..., NDArray[np.float32]]:
    return babble


@pytest.fixture
def call() -> Audio:
    """Three seconds of silence, two of voice, three of silence: 8 kHz, with faint noise as on a line."""
    rate_hz = 8000
    samples = np.random.default_rng(1).normal(0, 2e-4, 8 * rate_hz).astype(np.float32)
    samples[3 * rate_hz : 5 * rate_hz] += babble(2, rate_hz)
    return Audio(samples[np.newaxis], rate_hz)


@pytest.fixture
def encode() -> Callable[..., Path]:
    """Encode int16 samples, shape (channels, frames), with FFmpeg."""

    def write(path: Path, samples: NDArray[np.int16], codec: str, rate_hz: int, **options: str) -> Path:
        layout = "mono" if len(samples) == 1 else "stereo"
        with av.open(str(path), "w", options=options) as container:
            stream = container.add_stream(codec, rate=rate_hz, layout=layout)
            frame = av.AudioFrame.from_ndarray(samples.T.reshape(1, -1).copy(), format="s16", layout=layout)
            frame.rate, frame.pts = rate_hz, 0
            for piece in (frame, None):
                container.mux(stream.encode(piece))
        return path

    return write
