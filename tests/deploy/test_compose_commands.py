"""Every command of docker-compose.yml, run here: the flags are right, and what is mounted is what is read."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from callscope.store.sql import open_store

from ..postgres_server import PostgresServer, find_programs, let_pass
from .asking import ask_http
from .compose_file import command_here, environment_here, mounts, services
from .running import ROOT, Guarded, free_ports, guarded_triton, process, required, wait_until

if TYPE_CHECKING:
    from callscope_server.environment import Environment

FORBIDDEN = 403
CALLSCOPE = [sys.executable, "-m", "callscope"]


@pytest.fixture
def places(front: str, guarded: Guarded, tmp_path: Path) -> dict[str, object]:
    """What the containers' paths and names are here."""
    (tmp_path / "results").mkdir()
    return {"/run/secrets": guarded.secrets, "proxy:8443": front, "/results": tmp_path / "results"}


def run(line: list[str], told: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(line, env=told, cwd=folder, check=False, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return ended


@pytest.mark.parametrize("name", ["triton", "triton-gpu"])
def test_tritonserver_takes_what_it_is_told(
    name: str, server_environment: Environment, secrets: Path, tmp_path: Path
) -> None:
    service = services()[name]
    (start,) = service["command"]
    source, _ = mounts(service)[start]
    assert mounts(service)["/models"] == ("./model_repository", False)
    (tmp_path / "models").mkdir()
    line = [str(ROOT / source)]
    with guarded_triton(server_environment, tmp_path / "models", secrets, tmp_path, line=line) as server:
        assert ask_http(server.http, "GET", "/v2", {})[0] == FORBIDDEN


def test_nginx_takes_what_it_is_told(front: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    told = next(tmp_path_factory.getbasetemp().glob("gateway0/nginx.conf"))
    nginx = required("nginx", "nginx-light")
    line = [nginx, *command_here("proxy", {}), "-t", "-p", str(told.parent), "-c", str(told)]
    assert "successful" in run(line, dict(os.environ), told.parent).stderr
    assert front


@pytest.fixture
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL."""
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    folder = tmp_path_factory.mktemp("postgres")
    let_pass(folder)
    server = PostgresServer(folder, programs)
    server.start()
    yield server.url
    server.stop()


def test_the_batch_stores_what_it_hears_through_the_gateway(
    places: dict[str, object], demo_calls: Path, postgres: str, tmp_path: Path
) -> None:
    (metrics,) = free_ports(1)
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "call.wav").symlink_to(next(demo_calls.glob("*.wav")))
    told = environment_here("batch", {**places, "9400": metrics, "0.0.0.0": "127.0.0.1"})
    told["CALLSCOPE_STORE"] = postgres
    run([*CALLSCOPE, *command_here("batch", {**places, "/recordings": tmp_path / "recordings"})], told, tmp_path)
    store = open_store(postgres)
    assert store.status().calls == 1
    store.close()


def test_the_export_publishes_what_triton_can_mount(tmp_path: Path) -> None:
    places = {"openai/whisper-small": ROOT / "demo" / "checkpoints" / "recogniser", "/exports": tmp_path}
    run([*CALLSCOPE, *command_here("export", places)], environment_here("export", places), tmp_path)
    models = tmp_path / "models"
    assert "transcribe" in {path.name for path in models.iterdir()}
    for path in (models, *models.rglob("*")):  # Triton is another user
        wanted = 0o005 if path.is_dir() else 0o004
        assert path.stat().st_mode & wanted == wanted, path


def test_locust_loads_triton_through_the_gateway(places: dict[str, object], tmp_path: Path) -> None:
    # Locust itself is not imported here: it would patch this process for gevent
    pytest.importorskip("configargparse", reason="Locust is not installed: requirements/dev.txt has it")
    line = [*command_here("loadtest", places), "--users=2", "--run-time=3s", f"--results={tmp_path / 'r.jsonl'}"]
    run([sys.executable, "-m", "locust", *line], environment_here("loadtest", places), ROOT)
    assert '"error": ""' in (tmp_path / "r.jsonl").read_text()


def test_prometheus_takes_what_it_is_told(tmp_path: Path) -> None:
    prometheus = required("prometheus", "prometheus")
    (tmp_path / "prometheus.yml").write_text("global: {}\n")
    (port,) = free_ports(1)
    places = {"/etc/prometheus": tmp_path, "=/prometheus": f"={tmp_path}/data"}
    line = [prometheus, *command_here("prometheus", places), f"--web.listen-address=127.0.0.1:{port}"]
    log = tmp_path / "prometheus.log"
    with process(line, log) as running:
        wait_until(lambda: "Server is ready" in log.read_text(), running, log)
