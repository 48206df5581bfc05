"""WebRTC's voice activity detector, a vote for each frame."""

from __future__ import annotations

import numpy as np
import webrtcvad  # type: ignore[import-untyped]  # ships no types
from numpy.typing import NDArray

from callscope_preprocessing.frames import measure_frames
from callscope_preprocessing.pcm import Pcm
from callscope_preprocessing.track import Track


def webrtc_votes(track: Track, size: int, mode: int) -> NDArray[np.bool_]:
    """Whether the detector calls each frame speech, shape (frames,).

    Args:
        track: at 8, 16, 32 or 48 kHz; the detector itself works at 8.
        size: samples a frame: 10, 20 or 30 ms.
        mode: how much it rejects, 0 (least) to 3.
    """
    vote, rate_hz = webrtcvad.Vad(mode).is_speech, track.rate_hz

    def votes(pcm: Pcm) -> NDArray[np.bool_]:
        return np.fromiter((vote(frame, rate_hz) for frame in _as_bytes(pcm.tobytes(), size)), np.bool_, len(pcm))

    return measure_frames(track, size, votes, np.bool_)


def _as_bytes(block: bytes, size: int) -> list[bytes]:
    width = 2 * size
    return [block[first : first + width] for first in range(0, len(block), width)]
