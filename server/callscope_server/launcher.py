"""A tritonserver as a value: start it, wait until it is ready, watch it, stop it."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from callscope_server.command import assemble_backends, triton_arguments, triton_environment
from callscope_server.environment import Environment, check_environment, ensure_environment, require_fit
from callscope_server.errors import PortInUse, ServerDied, ServerNotReady
from callscope_server.failure import explain
from callscope_server.guard import Guard
from callscope_server.model_index import ModelStatus, fetch_models, is_ready
from callscope_server.ports import choose_ports, numeric_address
from callscope_server.process import SupervisedProcess, check_writable
from callscope_server.repository import check_repository

POLL_S = 0.05
WATCH_S = 0.5
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
        drain_s: how long running requests may take to finish when the server is stopped; then it is killed.
        guard: the keys and certificates it asks for; none if not given.
        trace_to: where the server sends spans of its requests (OTLP over HTTP); nowhere when empty.

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
        drain_s: float = 1.0,
        guard: Guard | None = None,
        trace_to: str = "",
    ) -> None:
        self._repository = repository
        self._host = host
        self._wanted_ports = (http_port, grpc_port, metrics_port)
        self._log_file = log_file
        self._environment = environment
        self._startup_timeout_s = startup_timeout_s
        self._drain_s = drain_s
        self._guard = guard or Guard()
        self._trace_to = trace_to
        self._process: SupervisedProcess | None = None
        self.endpoints = Endpoints("", "", "")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Process id of tritonserver; 0 while it is not running."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Start the server and wait until every model is ready.

        Raises:
            ServerError: see the class.
        """
        environment = self._environment or ensure_environment()
        require_fit(check_environment(environment.path))
        repository = check_repository(self._repository)
        for attempts_left in reversed(range(PORT_ATTEMPTS)):
            try:
                self._launch(environment, repository)
                self._wait_until_ready()
                break
            except BaseException as error:
                self.stop()
                if not (isinstance(error, PortInUse) and attempts_left and self._may_move(error)):
                    raise

    def stop(self) -> None:
        """End the server: SIGTERM, then SIGKILL; nothing it started is left. Does nothing if it is not running."""
        process, self._process = self._process, None
        if process:
            process.stop()

    def restart(self) -> None:
        """Start the server again, at the ports where it was.

        Raises:
            ServerError: see the class.
        """
        self.stop()
        places = (self.endpoints.http, self.endpoints.grpc, self.endpoints.metrics)
        http, grpc, metrics = (int(place.rpartition(":")[2]) for place in places)
        self._wanted_ports = (http, grpc, metrics)
        self.start()

    def wait(self, timeout_s: float = float("inf")) -> None:
        """Return when `timeout_s` has passed; by default wait for as long as the server runs.

        Raises:
            ServerError: the server has ended by itself, and why.
        """
        deadline_s = time.monotonic() + timeout_s
        while (left_s := deadline_s - time.monotonic()) > 0:
            self.check()
            time.sleep(min(WATCH_S, left_s))

    def check(self) -> None:
        """Raise if the server has ended although nobody asked it to.

        Raises:
            ServerError: the server has ended by itself, and why.
        """
        if self._process is None:
            raise ServerDied("The server is not running. Start it first.")
        if (status := self._process.status()) is not None:
            raise explain(self._process.log_text(), status, self._log_file)

    def models(self) -> list[ModelStatus]:
        """What the server serves: (name, version, state, reason), sorted.

        Raises:
            ServerError: it has ended, or does not answer.
        """
        try:
            return fetch_models(self._near(), self._guard.admin_headers())
        except OSError as error:
            self.check()
            raise ServerDied(
                f"The server on {self.endpoints.http} does not answer. Read its log, then restart it."
            ) from error

    def _launch(self, environment: Environment, repository: Path) -> None:
        host = numeric_address(self._host)
        ports = choose_ports(host, self._wanted_ports)
        self.endpoints = Endpoints(*(f"{host}:{port}" for port in ports))
        if self._log_file:
            check_writable(self._log_file)
        scratch = Path(tempfile.mkdtemp(prefix="callscope-triton-"))
        prefix = f"callscope_{os.getpid()}_{ports[0]}_"
        command = triton_arguments(
            environment,
            repository,
            assemble_backends(scratch / "backends", environment),
            host=host,
            ports=ports,
            shared_memory_prefix=prefix,
            trace_to=self._trace_to,
        )
        self._process = SupervisedProcess(
            [*command, *self._guard.arguments()],
            triton_environment(environment),
            scratch=scratch,
            shared_memory_prefix=prefix,
            grace_s=self._drain_s,
            log_file=self._log_file,
        )

    def _wait_until_ready(self) -> None:
        deadline_s = time.monotonic() + self._startup_timeout_s
        while not is_ready(self._near()):
            self.check()
            if time.monotonic() > deadline_s:
                raise ServerNotReady(
                    f"The models were not loaded within {self._startup_timeout_s:g} s. "
                    f"Give the server more time, or fewer models."
                )
            time.sleep(POLL_S)
        self.check()

    def _near(self) -> str:
        return self.endpoints.http.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 (no binding: where to ask)

    def _may_move(self, error: PortInUse) -> bool:
        return error.port not in self._wanted_ports
