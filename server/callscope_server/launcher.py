"""A tritonserver as a value: start it, wait until it is ready, watch it, stop it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from json import dumps
from pathlib import Path
from typing import Self

from callscope_server.command import assemble_backends, triton_arguments, triton_environment
from callscope_server.environment import Environment, check_environment, ensure_environment, require_fit
from callscope_server.errors import PortInUse, RepositoryInvalid, ServerDied, ServerError, ServerNotReady
from callscope_server.failure import explain
from callscope_server.model_index import ModelStatus, fetch_models, is_ready
from callscope_server.ports import choose_ports

SUPERVISOR = Path(__file__).with_name("supervisor.py")
STOP_GRACE_S = 10.0
POLL_S = 0.05
PORT_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the server listens, each as "host:port".

    Attributes:
        http: the HTTP protocol.
        grpc: the gRPC protocol.
        metrics: Prometheus metrics, at /metrics.
    """

    http: str
    grpc: str
    metrics: str


class TritonServer:
    """A tritonserver over a model repository, for as long as the `with` block runs.

    It listens on loopback unless told otherwise, and ends with this process however that ends: `kill -9` included.

    Args:
        repository: the model repository; every model in it is loaded, or the server does not start.
        host: the address to listen on.
        http_port: 0 for any free one; so also the next two.
        grpc_port: of the gRPC protocol.
        metrics_port: of the metrics.
        log_file: where Triton's log goes; if not given it is read for errors and then removed.
        environment: the server's environment; made or found by `ensure_environment` if not given.
        startup_timeout_s: how long loading may take.

    Raises (on entering):
        EnvironmentBroken: this machine cannot run the server.
        RepositoryInvalid: no repository, or a model does not load.
        PortInUse: a port that was asked for is taken.
        ServerNotReady: the time was up.
        ServerDied: it ended for another reason.
    """

    def __init__(
        self,
        repository: Path,
        *,
        host: str = "127.0.0.1",
        http_port: int = 0,
        grpc_port: int = 0,
        metrics_port: int = 0,
        log_file: Path | None = None,
        environment: Environment | None = None,
        startup_timeout_s: float = 120.0,
    ) -> None:
        self._repository = repository
        self._host = host
        self._wanted_ports = (http_port, grpc_port, metrics_port)
        self._log_file = log_file
        self._environment = environment
        self._startup_timeout_s = startup_timeout_s
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._log = Path(os.devnull)
        self.endpoints = Endpoints("", "", "")
        self.pid = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
