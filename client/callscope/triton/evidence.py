"""How far a transcript is to be believed: Whisper's own figures and rules."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

NO_SPEECH_PROBABILITY = 0.6
NO_SPEECH_LOGPROB = -1.0
"""Whisper's own thresholds: a window above the one and below the other is silence, whatever words came out."""


def mean_logprob(logprobs: NDArray[np.float32], count: int) -> float:
    """Whisper's avg_logprob: the sum over `count` text tokens and the end of text, over `count` + 1."""
    return float(logprobs[: count + 1].sum(dtype=np.float64)) / (count + 1)


def compression_ratio(text: str) -> float:
    """Whisper's compression ratio: UTF-8 bytes of the text over their size after zlib; 0 for no text."""
    data = text.encode()
    return len(data) / len(zlib.compress(data))


def is_silence(no_speech_probability: float, avg_logprob: float) -> bool:
    """Whisper's rule: probably no speech, and the words that came out are improbable too."""
    return no_speech_probability > NO_SPEECH_PROBABILITY and avg_logprob < NO_SPEECH_LOGPROB
