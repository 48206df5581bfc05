"""Whether an export is compared with its checkpoint before it is published, and how the graphs are run for it."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from .errors import ParityFailed
from .parity import Run, can_compare
from .publish import Gate

FATAL = 4
"""All that ONNX Runtime says on stderr: its errors are raised as well, and it warns of FP16 nodes on a CPU."""

ParityRule = Literal["auto", "require", "off"]
Compare = Callable[[Run], Mapping[str, Any]]
"""Runs graphs, and returns the content of report.json, or raises ParityFailed."""


def is_compared(rule: ParityRule) -> bool:
    """Decide whether graphs are compared with transformers.

    Raises:
        ParityFailed: They have to be and cannot.
    """
    if rule == "require" and not can_compare():
        raise ParityFailed(
            "The graphs cannot be compared: transformers, torch or onnxruntime is missing. Install callscope[referee]."
        )
    return rule != "off" and can_compare()


def parity_gate(compare: Compare) -> Gate:
    """Make a gate of a comparison."""

    def gate(graphs: Mapping[str, Path]) -> bytes:
        import onnxruntime  # type: ignore[import-untyped]  # noqa: PLC0415  only the gate runs graphs

        def run(name: str, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
            options = onnxruntime.SessionOptions()
            options.log_severity_level = FATAL
            session = onnxruntime.InferenceSession(graphs[name], options, providers=["CPUExecutionProvider"])
            names = [output.name for output in session.get_outputs()]
            return dict(zip(names, session.run(None, dict(inputs)), strict=True))

        return json.dumps(compare(run), indent=1).encode() + b"\n"

    return gate
