"""The model `log_mel` by itself, for any settings, and sounds on which rounding shows."""

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from callscope_export.contract import signature
from callscope_export.mel import log_mel_graph
from callscope_export.whisper import MelSettings

FULL_SCALE = 32767


def log_mel(audio: NDArray[np.int16], settings: MelSettings) -> NDArray[Any]:
    """Run the graph that settings make on windows, shape (rows, S): shape (rows, M, F)."""
    sizes = {"S": settings.window_samples, "M": settings.mel_bins, "F": settings.frames}
    graph = log_mel_graph(settings, signature("log_mel", sizes)).whole().SerializeToString()
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"audio": audio})[0])


def loud_tones(seconds: int = 1) -> NDArray[np.int16]:
    """Make tones as loud as can be, with near silence in all other bands and, from the middle on, in these too."""
    time = np.arange(16000 * seconds) / 16000
    tones = [(233, 270), (330, 330), (1033, 1033), (3210, 3210)]
    rows = np.array([sum(np.sin(2 * np.pi * hertz * time) for hertz in pair) / 2 for pair in tones])
    quieter = np.where(time < seconds / 2, FULL_SCALE, 3)
    return np.rint(rows * quieter).astype(np.int16)
