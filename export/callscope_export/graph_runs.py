"""Exported graphs run in this process, on the CPU."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .whisper import WhisperSettings

Array = NDArray[Any]

FATAL = 4
"""All that ONNX Runtime says on stderr: its errors are raised as well, and it warns of FP16 nodes on a CPU."""


class GraphRuns:
    """Runs graphs by their models' names.

    Args:
        graphs: The files.
        keep_open: Whether a graph stays in memory after its first run; else it is read for every run.
    """

    def __init__(self, graphs: Mapping[str, Path], *, keep_open: bool) -> None:
        self._graphs, self._keep_open = graphs, keep_open
        self._open: dict[str, Any] = {}

    def __call__(self, name: str, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run a graph: inputs to outputs, each by its name and with a batch dimension."""
        session = self._open.get(name) or self._session(name)
        if self._keep_open:
            self._open[name] = session
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(None, dict(inputs)), strict=True))

    def _session(self, name: str) -> Any:  # noqa: ANN401  onnxruntime has no types
        import onnxruntime  # noqa: PLC0415  only who runs graphs needs it

        options = onnxruntime.SessionOptions()
        options.log_severity_level = FATAL
        return onnxruntime.InferenceSession(self._graphs[name], options, providers=["CPUExecutionProvider"])


def decoder_options(rows: int, settings: WhisperSettings, language: int = -1) -> dict[str, Array]:
    """Make the options of `whisper_decoder` for greedy transcripts of any length, each of shape (rows, 1)."""
    values = {"language": language, "task": -1, "max_tokens": settings.max_tokens}
    options: dict[str, Array] = {name: np.full((rows, 1), value, np.int32) for name, value in values.items()}
    return {**options, "temperature": np.zeros((rows, 1), np.float32)}
