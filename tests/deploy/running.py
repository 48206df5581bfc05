"""Real servers for the tests of what a deployment guards: a Triton with keys, started as a deployment starts it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from callscope_server.command import assemble_backends, triton_environment
from callscope_server.model_index import is_ready

if TYPE_CHECKING:
    from callscope_server.environment import Environment

ROOT = Path(__file__).parents[2]
START = ROOT / "deploy" / "triton" / "start.sh"
PROXY = ROOT / "deploy" / "proxy"
TIMEOUT_S = 120.0
"""A bound, and no measurement."""
CLIENT_HEADER = "triton-grpc-protocol-callscope-key"
ADMIN_HEADER = "triton-grpc-protocol-callscope-admin-key"


@dataclass(frozen=True)
class Guarded:
    """A tritonserver that asks for keys.

    Attributes:
        http: its place, host:port; so also the next two.
        grpc: of gRPC.
        metrics: of the metrics.
        secrets: the folder of its keys.
        pid: its process id.
        log: what it writes.
    """

    http: str
    grpc: str
    metrics: str
    secrets: Path
    pid: int
    log: Path

    @property
    def client_headers(self) -> dict[str, str]:
        return {CLIENT_HEADER: (self.secrets / "client_key").read_text().strip()}

    @property
    def admin_headers(self) -> dict[str, str]:
        return {ADMIN_HEADER: (self.secrets / "admin_key").read_text().strip()}


def required(program: str, package: str) -> str:
    """The path of a program of the operating system; the test is skipped where it is missing."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{program} is not installed (Debian: apt-get install {package})")
    return found


def free_ports(count: int) -> list[int]:
    """Ports on which nobody listens."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


@contextmanager
def process(
    line: Sequence[object], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program for as long as the block runs."""
    with log.open("wb") as output:
        running = subprocess.Popen(
            [str(word) for word in line], stdout=output, stderr=output, env=environment, cwd=log.parent
        )
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(20)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


def wait_until(happened: object, running: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a callable says yes; fail with the log where the process ends before."""
    assert callable(happened)
    deadline_s = time.monotonic() + TIMEOUT_S
    while not happened():
        assert running.poll() is None, log.read_text(errors="replace")[-3000:]
        assert time.monotonic() < deadline_s, log.read_text(errors="replace")[-3000:]
        time.sleep(0.05)


@contextmanager
def guarded_triton(
    environment: Environment,
    repository: Path,
    secrets: Path,
    folder: Path,
    *more: str,
    line: Sequence[str] = (str(START),),
) -> Iterator[Guarded]:
    """start.sh over the wheel's tritonserver; `line` is how a deployment calls it."""
    folder.mkdir(parents=True, exist_ok=True)
    http, grpc, metrics = free_ports(3)
    places = [
        f"--{name}-{what}={value}"
        for name, port in (("http", http), ("grpc", grpc), ("metrics", metrics))
        for what, value in (("address", "127.0.0.1"), ("port", port))
    ]
    backends = [f"--backend-directory={assemble_backends(folder / 'backends', environment)}"]
    backends += [f"--cache-directory={environment.triton / 'caches'}"]
    told = {
        **triton_environment(environment),
        "TRITONSERVER": str(environment.tritonserver),
        "CALLSCOPE_SECRETS_DIR": str(secrets),
        "MODEL_REPOSITORY": str(repository),
    }
    log = folder / "triton.log"
    with process([*line, *places, *backends, *more], log, told) as running:
        wait_until(lambda: is_ready(f"127.0.0.1:{http}"), running, log)
        yield Guarded(f"127.0.0.1:{http}", f"127.0.0.1:{grpc}", f"127.0.0.1:{metrics}", secrets, running.pid, log)


@contextmanager
def gateway(server: Guarded, folder: Path, where: str = "sidecar") -> Iterator[str]:
    """nginx with the deployed configuration, its paths and ports replaced; its place, host:port."""
    nginx = required("nginx", "nginx-light")
    folder.mkdir(parents=True, exist_ok=True)
    (port,) = free_ports(1)
    upstream = (PROXY / where / "upstream.conf").read_text()
    upstream = upstream.replace("127.0.0.1:8000", server.http).replace("127.0.0.1:8001", server.grpc)
    (folder / "upstream.conf").write_text(upstream)
    told = (PROXY / "nginx.conf").read_text()
    for deployed, here in (
        ("/tmp/", f"{folder}/"),
        ("/etc/nginx/upstream/upstream.conf", f"{folder}/upstream.conf"),
        ("/run/secrets/", f"{server.secrets}/"),
        ("listen 8443", f"listen 127.0.0.1:{port}"),
    ):
        assert deployed in told
        told = told.replace(deployed, here)
    (folder / "nginx.conf").write_text(told)
    alone = "daemon off; user root;" if os.geteuid() == 0 else "daemon off;"
    log = folder / "nginx.log"
    with process([nginx, "-p", folder, "-c", folder / "nginx.conf", "-g", alone], log) as running:
        wait_until(lambda: _listens(port), running, log)
        yield f"127.0.0.1:{port}"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
