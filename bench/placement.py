"""What a step of the decoder's loop copies between host and device, by ONNX Runtime's own profile."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]  # it ships no types

from bench.engines import Work, options

SHORT, LONG = 4, 12
"""Tokens of two runs, whose difference is that of so many steps."""


def copied_in_a_step(work: Work, device: str) -> dict[str, Any]:
    """Count the bytes that one step copies, and name the operators of a step that run on the CPU.

    Returns:
        `bytes`: of all copies of a step; `on_cpu`: operators, where the device is a GPU.
    """
    short, long = (_profile(work, device, tokens) for tokens in (SHORT, LONG))
    copies = [sum(size for _, _, size in _copies(events)) for events in (short, long)]
    return {
        "bytes": (copies[1] - copies[0]) / (LONG - SHORT),
        "on_cpu": _on_cpu(short, long) if device != "cpu" else [],
    }


def _profile(work: Work, device: str, tokens: int) -> list[dict[str, Any]]:
    (graph,) = (work.repository / "whisper_decoder").glob("*/model.onnx")
    with tempfile.TemporaryDirectory() as folder:
        settings = ort.SessionOptions()
        settings.enable_profiling = True
        settings.profile_file_prefix = str(Path(folder) / "decoder")
        providers = ["CUDAExecutionProvider"] if device == "cuda" else []
        session = ort.InferenceSession(graph, settings, providers=[*providers, "CPUExecutionProvider"])
        (states,) = (node for node in session.get_inputs() if node.name == "states")
        dtype = np.float16 if states.type == "tensor(float16)" else np.float32
        feeds = {"states": np.zeros((1, *states.shape[1:]), dtype), **options(work, 1)}
        session.run(None, {**feeds, "max_tokens": np.full((1, 1), tokens, np.int32)})
        events: list[dict[str, Any]] = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    return [event for event in events if event.get("cat") == "Node" and event["name"].endswith("_kernel_time")]


def _copies(events: list[dict[str, Any]]) -> Iterator[tuple[str, str, int]]:
    for event in events:
        about = event["args"]
        if about["op_name"].startswith("Memcpy"):
            yield about["op_name"], event["name"], int(about.get("output_size", 0))


def _on_cpu(short: list[dict[str, Any]], long: list[dict[str, Any]]) -> list[str]:
    """Operators that ran on the CPU more often in the longer run: those of the loop."""

    def names(events: list[dict[str, Any]]) -> list[str]:
        return [each["args"]["op_name"] for each in events if each["args"].get("provider") == "CPUExecutionProvider"]

    before, after = names(short), names(long)
    return sorted({name for name in after if after.count(name) > before.count(name)})
