"""Triton without Docker: the tritonserver of a wheel, its own environment, and its onnxruntime backend."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # ONNX Runtime from 1.29 on tells its maker what models are loaded

from callscope_server.environment import Environment, check_environment, default_environment, ensure_environment
from callscope_server.errors import (
    EnvironmentBroken,
    PortInUse,
    RepositoryInvalid,
    ServerDied,
    ServerError,
    ServerNotReady,
)
from callscope_server.findings import Finding
from callscope_server.launcher import Endpoints, TritonServer
from callscope_server.model_index import ModelStatus

__all__ = [
    "Endpoints",
    "Environment",
    "EnvironmentBroken",
    "Finding",
    "ModelStatus",
    "PortInUse",
    "RepositoryInvalid",
    "ServerDied",
    "ServerError",
    "ServerNotReady",
    "TritonServer",
    "check_environment",
    "default_environment",
    "ensure_environment",
]
