"""Exported graphs run one after another in this process, and whether a window's tokens depend on its batch mates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from callscope_export.whisper import WhisperSettings

COMPANY = 16
Array = NDArray[Any]
Windows = NDArray[np.int16]


class Graphs:
    """The models of a repository that lead from sound to tokens, in ONNX Runtime on the CPU."""

    def __init__(self, repository: Path, settings: WhisperSettings) -> None:
        self._settings = settings
        self._mel, self._encoder, self._decoder = (
            _open(repository / name) for name in ("log_mel", "whisper_encoder", "whisper_decoder")
        )

    def run(self, audio: Windows, tokens: int) -> Mapping[str, Array]:
        """Transcribe windows, shape (rows, S): all that the models give, by the contract's names, T of N tokens."""
        (mel,) = self._mel.run(None, {"audio": audio})
        (states,) = self._encoder.run(None, {"mel": mel})
        written = _run(self._decoder, {"states": states, **self._options(len(audio), tokens)})
        short = {name: written[name][:, :tokens] for name in ("tokens", "logprobs")}
        return {"mel": mel, "states": states, **written, **short}

    def tokens(self, audio: Windows, batch: int) -> Array:
        """Transcribe windows in batches, in order: (rows, N)."""
        most = self._settings.max_tokens
        return np.concatenate([self.run(part, most)["tokens"] for part in parts(audio, batch)])

    def _options(self, rows: int, tokens: int) -> dict[str, Array]:
        values = {"language": -1, "task": -1, "max_tokens": tokens}
        options: dict[str, Array] = {name: np.full((rows, 1), value, np.int32) for name, value in values.items()}
        return {**options, "temperature": np.zeros((rows, 1), np.float32)}


def changed_by_company(graphs: Graphs, audio: Windows, seed: int = 0) -> int:
    """Count the windows whose tokens in a batch of 16, whatever the others are, are not those of the window alone."""
    order = np.random.default_rng(seed).permutation(len(audio))
    alone, together = graphs.tokens(audio, 1), graphs.tokens(audio[order], COMPANY)
    return int((alone[order] != together).any(axis=1).sum())


def parts(windows: Windows, size: int) -> Iterator[Windows]:
    """Cut windows into batches."""
    return (windows[start : start + size] for start in range(0, len(windows), size))


def _open(model: Path) -> onnxruntime.InferenceSession:
    (graph,) = model.glob("*/model.onnx")
    return onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])


def _run(session: onnxruntime.InferenceSession, inputs: Mapping[str, Array]) -> dict[str, Array]:
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, dict(inputs)), strict=True))
