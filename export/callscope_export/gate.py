"""Whether an export is compared with its checkpoint before it is published, and how the graphs are run for it."""

import json
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from .errors import ParityFailed
from .graph_runs import GraphRuns
from .parity import Run, can_compare
from .publish import Gate

ParityRule = Literal["auto", "require", "off"]
Compare = Callable[[Run], Mapping[str, Any]]
"""Runs graphs, and returns the content of report.json, or raises ParityFailed."""


def is_compared(rule: ParityRule, *, with_transformers: bool = True) -> bool:
    """Decide whether graphs are compared with their checkpoint, which transformers runs, or onnxruntime alone.

    Raises:
        ParityFailed: They have to be and cannot.
    """
    possible = can_compare() if with_transformers else find_spec("onnxruntime") is not None
    if rule == "require" and not possible:
        raise ParityFailed(
            "The graphs cannot be compared: transformers, torch or onnxruntime is missing. Install callscope[referee]."
        )
    return rule != "off" and possible


def parity_gate(compare: Compare) -> Gate:
    """Make a gate of a comparison."""

    def gate(graphs: Mapping[str, Path]) -> bytes:
        return as_report(compare(GraphRuns(graphs, keep_open=False)))

    return gate


def as_report(content: Mapping[str, Any]) -> bytes:
    """Write what was found as report.json."""
    return json.dumps(content, indent=1).encode() + b"\n"
