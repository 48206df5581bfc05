"""A Triton under more load than it takes, a batch that works against it, and Prometheus watching both."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bench.chaos.recordings import make_recordings
from bench.saturation import asking, requests
from bench.sound import DEMO_CALLS, windows
from tests.repository_files import parameters, read_config

from callscope.errors import TritonError
from callscope.triton.transport import connect

from ..e2e.running import started
from .prometheus_server import PrometheusServer, program

if TYPE_CHECKING:
    from callscope_server.environment import Environment

QUEUE = 2
SENDERS = 40
RECORDINGS = 400
GPU = """\
nv_gpu_memory_total_bytes{gpu_uuid="GPU-0"} 24000000000
nv_gpu_memory_used_bytes{gpu_uuid="GPU-0"} 9000000000
nv_gpu_utilization{gpu_uuid="GPU-0"} 0.75
"""
"""In the place of a GPU, which the tests do not have: the names and the form that Triton documents."""


class Gpu(BaseHTTPRequestHandler):
    """Tells that."""

    def do_GET(self) -> None:
        """Answer every path alike."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(GPU.encode())

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture(scope="module")
def narrow(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with queues of two requests, and without a model of sentiment."""
    folder = tmp_path_factory.mktemp("narrow") / "repository"
    shutil.copytree(repository, folder, ignore=shutil.ignore_patterns("sentiment*"))
    for model in ("whisper_encoder", "whisper_decoder"):
        file = folder / model / "config.pbtxt"
        file.write_text(re.sub(r"max_queue_size: \d+", f"max_queue_size: {QUEUE}", file.read_text("utf-8")), "utf-8")
    return folder


@pytest.fixture(scope="module")
def watching(
    narrow: Path, server_environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrometheusServer]:
    """Prometheus, while all that it asks is at work."""
    program("prometheus")
    from callscope_server.launcher import TritonServer  # noqa: PLC0415  most tests need no server

    folder = tmp_path_factory.mktemp("watching")
    make_recordings(folder / "recordings", RECORDINGS)
    (folder / "recordings" / "0.wav").write_bytes(b"")  # set aside at once: an error to count
    port = _free_port()
    gpu = ThreadingHTTPServer(("127.0.0.1", 0), Gpu)
    threading.Thread(target=gpu.serve_forever, daemon=True).start()
    with TritonServer(narrow, environment=server_environment) as triton:
        targets = {
            "triton": [triton.endpoints.metrics, f"127.0.0.1:{gpu.server_port}"],
            "callscope": [f"127.0.0.1:{port}"],
        }
        prometheus = PrometheusServer(folder, targets)
        arguments = ("batch", "recordings", "--store", "calls.db", "--cache", "cache", "--metrics-port", port)
        server = f"grpc://{triton.endpoints.grpc}"
        try:
            with started(*arguments, "--server", server, cwd=folder), _load(server):
                yield prometheus
        finally:
            prometheus.stop()
    gpu.shutdown()
    gpu.server_close()


class _load:  # noqa: N801  used as a function
    """Forty senders who heed no refusal, in a process of their own."""

    def __init__(self, url: str) -> None:
        self._line = [sys.executable, "-c", f"from tests.monitoring.conftest import send; send({url!r})"]

    def __enter__(self) -> None:
        root = str(Path(__file__).parents[2])
        self._process = subprocess.Popen(self._line, cwd=root)

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


def send(url: str) -> None:
    """Send windows for ever, as fast as they are answered or refused."""
    samples = int(parameters(read_config(Path("model_repository"), "transcribe"))["window_samples"])
    bodies = requests(windows(DEMO_CALLS, 8, samples // 16_000), tokens=80)

    async def one(number: int) -> None:
        ask = asking(connect(url, timeout_s=60), bodies)
        while True:
            try:
                await ask(number)
            except TritonError:
                await asyncio.sleep(0.2)

    async def all_of_them() -> None:
        await asyncio.gather(*map(partial(one), range(SENDERS)))

    asyncio.run(all_of_them())


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
