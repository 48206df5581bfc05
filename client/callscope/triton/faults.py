"""Failures of a server that say nothing about the request: its GPU is gone or full, its own process died."""

from __future__ import annotations

FAULTS = (
    "cuda",
    "cublas",
    "cudnn",
    "out of memory",
    "failed to allocate memory",  # ONNX Runtime's arena
    "stub process",  # Triton's Python backend, whose process ended; it starts another
    "is not ready",  # a model that is being loaded again
)
"""In messages of Triton and its backends, in small letters."""


def is_fault(message: str) -> bool:
    """Whether the same request may succeed at another server, or here later."""
    return any(sign in message.lower() for sign in FAULTS)
