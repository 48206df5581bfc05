"""Starting, watching and ending: whatever happens, nothing of the server is left."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import psutil
import pytest
from tritonclient import http

from callscope_server import Environment, PortInUse, ServerDied, ServerError, ServerNotReady, TritonServer

from ..small_models import make_slow

ROOT = Path(__file__).parents[2]
GONE_WITHIN_S = 10


@pytest.fixture(scope="module")
def repository(
    tmp_path_factory: pytest.TempPathFactory, model: Callable[..., Path], plus_one: Callable[..., onnx.ModelProto]
) -> Path:
    root = tmp_path_factory.mktemp("repository")
    model(root, "plus_one", plus_one(), "instance_group { count: 2 kind: KIND_CPU }\n")
    return root


@pytest.fixture(scope="module")
def slow_repository(tmp_path_factory: pytest.TempPathFactory, model: Callable[..., Path]) -> Path:
    """One model that runs for as many rounds as it is told: a loop in the graph."""
    one = {t: f'name: "{t}" data_type: TYPE_FP32 dims: [1]' for t in "xy"}
    root = tmp_path_factory.mktemp("slow")
    model(root, "slow", make_slow(), **one)
    return root


@pytest.fixture
def command(environment: Environment) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `python -m callscope_server` and waits until it says that it is ready."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str | Path) -> subprocess.Popen[str]:
        line = [sys.executable, "-m", "callscope_server", "--environment", environment.path, *arguments]
        path = {**os.environ, "PYTHONPATH": str(ROOT / "server")}
        process = subprocess.Popen(line, stderr=subprocess.PIPE, text=True, env=path)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def any_ports() -> list[str]:
    return ["--http-port=0", "--grpc-port=0", "--metrics-port=0"]


def wait_for(process: subprocess.Popen[str], word: str) -> str:
    assert process.stderr is not None
    return next(line for line in process.stderr if line.startswith(word))


def test_the_server_starts_answers_and_leaves_nothing(
    repository: Path, environment: Environment, footprint: Callable[[int], Any]
) -> None:
    with TritonServer(repository, environment=environment) as server:
        left = footprint(os.getpid())
        assert {"tritonserver", "triton_python_b"} <= set(left.names())
        assert any("callscope_" in path.name for path in Path("/dev/shm").glob(f"{left.shared_memory_prefix}*"))
        assert server.pid in {each.pid for each in left.processes}
        assert [each.state for each in server.models()] == ["READY"]
    assert left.left_after(0) == []
    assert server.pid == 0


def test_stopping_twice_or_before_the_start_does_nothing(repository: Path, environment: Environment) -> None:
    server = TritonServer(repository, environment=environment)
    server.stop()
    server.start()
    server.stop()
    server.stop()
    with pytest.raises(ServerDied, match="not running"):
        server.check()


def test_kill_9_of_the_parent_leaves_nothing(
    repository: Path, command: Callable[..., subprocess.Popen[str]], footprint: Callable[[int], Any]
) -> None:
    process = command(repository, *any_ports())
    wait_for(process, "ready")
    left = footprint(process.pid)
    assert left.names().count("triton_python_b") == 2
    process.kill()
    assert left.left_after(GONE_WITHIN_S) == []


def test_kill_9_of_the_parent_while_models_load_leaves_nothing(
    repository: Path, command: Callable[..., subprocess.Popen[str]], footprint: Callable[[int], Any]
) -> None:
    process = command(repository, *any_ports())
    while not psutil.Process(process.pid).children(recursive=True):
        time.sleep(0.01)
    time.sleep(0.2)
    left = footprint(process.pid)
    process.kill()
    assert left.left_after(GONE_WITHIN_S) == []


def test_kill_9_of_the_supervisor_too_leaves_nothing(
    repository: Path, command: Callable[..., subprocess.Popen[str]], footprint: Callable[[int], Any]
) -> None:
    process = command(repository, *any_ports())
    wait_for(process, "ready")
    left = footprint(process.pid)
    process.kill()
    left.processes[0].kill()
    assert left.left_after(GONE_WITHIN_S) == []


@pytest.mark.parametrize("both", [True, False], ids=["with its parent", "alone"])
@pytest.mark.parametrize("begun_s", [0.1, 0.4, 0.8])
def test_kill_9_of_the_supervisor_while_the_stubs_load_leaves_nothing(
    repository: Path,
    command: Callable[..., subprocess.Popen[str]],
    footprint: Callable[[int], Any],
    begun_s: float,
    both: bool,
) -> None:
    process = command(repository, *any_ports())
    while "triton_python_b" not in (left := footprint(process.pid)).names():
        time.sleep(0.01)
    time.sleep(begun_s)
    left = footprint(process.pid)
    if both:
        process.kill()
    left.processes[0].kill()
    assert left.left_after(GONE_WITHIN_S) == []


def test_the_death_of_the_supervisor_is_noticed_and_the_rest_ends(
    repository: Path, environment: Environment, footprint: Callable[[int], Any]
) -> None:
    with TritonServer(repository, environment=environment) as server:
        left = footprint(os.getpid())
        psutil.Process(server.pid).parent().kill()
        with pytest.raises(ServerDied):
            server.wait(5)
    assert left.left_after(GONE_WITHIN_S) == []


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_command_and_the_server(
    repository: Path,
    command: Callable[..., subprocess.Popen[str]],
    footprint: Callable[[int], Any],
    number: signal.Signals,
    status: int,
) -> None:
    process = command(repository, *any_ports(), "--drain", "1")
    wait_for(process, "ready")
    left = footprint(process.pid)
    process.send_signal(number)
    _, said = process.communicate(timeout=GONE_WITHIN_S)
    assert process.returncode == status
    assert "Traceback" not in said
    assert left.left_after(0) == []


def test_a_request_that_runs_is_finished_before_the_server_stops(
    slow_repository: Path, environment: Environment
) -> None:
    server = TritonServer(slow_repository, environment=environment, drain_s=20)
    server.start()
    x = http.InferInput("x", [1, 1], "FP32")
    x.set_data_from_numpy(np.array([[400.0]], np.float32))
    with http.InferenceServerClient(server.endpoints.http) as client:
        assert client.is_server_ready()  # the connection is there when the stop comes
        pending = client.async_infer("slow", [x])
        time.sleep(0.3)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        assert pending.get_result().as_numpy("y").shape == (1, 1)
    stopping.join()


def test_a_request_that_runs_too_long_does_not_hold_the_stop(
    slow_repository: Path, environment: Environment, footprint: Callable[[int], Any]
) -> None:
    server = TritonServer(slow_repository, environment=environment, drain_s=1)
    server.start()
    left = footprint(os.getpid())
    x = http.InferInput("x", [1, 1], "FP32")
    x.set_data_from_numpy(np.array([[1e9]], np.float32))
    client = http.InferenceServerClient(server.endpoints.http)
    assert client.is_server_ready()
    client.async_infer("slow", [x])
    time.sleep(0.3)
    begun_s = time.monotonic()
    server.stop()
    assert time.monotonic() - begun_s < 4
    assert left.left_after(0) == []
    client.close()


def test_the_death_of_tritonserver_is_noticed_and_explained(
    repository: Path, environment: Environment, tmp_path: Path
) -> None:
    log_file = tmp_path / "logs" / "triton.log"
    with TritonServer(repository, environment=environment, log_file=log_file) as server:
        os.kill(server.pid, signal.SIGKILL)
        with pytest.raises(ServerDied, match=f"137.*{log_file}"):
            server.wait(10)
    assert "successfully loaded 'plus_one'" in log_file.read_text()


def test_waiting_on_a_healthy_server_returns_after_the_time(repository: Path, environment: Environment) -> None:
    with TritonServer(repository, environment=environment) as server:
        server.wait(0.1)
        server.check()


@pytest.mark.parametrize("which", ["http_port", "grpc_port", "metrics_port"])
def test_a_port_in_use_is_an_error_that_names_it(repository: Path, environment: Environment, which: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(PortInUse, match=f"Port {port} on 127.0.0.1") as caught,
            TritonServer(repository, environment=environment, **{which: port}),
        ):
            pass
    assert caught.value.exit_code == 4


def test_the_command_says_that_a_port_is_in_use_in_one_line(
    repository: Path, command: Callable[..., subprocess.Popen[str]]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = command(repository, *any_ports(), f"--grpc-port={port}")
        _, said = process.communicate(timeout=30)
    assert process.returncode == 4
    assert said.splitlines() == [line for line in said.splitlines() if line.startswith(f"error: Port {port}")]


def test_the_command_ends_with_5_for_a_corrupt_graph(
    tmp_path: Path, model: Callable[..., Path], command: Callable[..., subprocess.Popen[str]]
) -> None:
    model(tmp_path, "corrupt", b"this is no graph")
    process = command(tmp_path, *any_ports())
    _, said = process.communicate(timeout=30)
    assert process.returncode == 5
    assert said.startswith("error: Model 'corrupt' does not load")
    assert "Traceback" not in said


def test_a_start_is_bounded(slow_repository: Path, environment: Environment, footprint: Callable[[int], Any]) -> None:
    server = TritonServer(slow_repository, environment=environment, startup_timeout_s=0.05)
    with pytest.raises(ServerNotReady, match=r"0\.05 s"):
        server.start()
    assert footprint(os.getpid()).left_after(0) == []


def test_the_host_and_port_that_are_asked_for_are_listened_on(repository: Path, environment: Environment) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with TritonServer(repository, host="localhost", environment=environment, http_port=port) as server:
        assert server.endpoints.http == f"127.0.0.1:{port}"


@pytest.mark.parametrize("settings", [{"host": "203.0.113.7"}, {"host": "no.such.host.invalid"}, {"http_port": 70000}])
def test_an_address_that_is_not_ours_is_an_error(
    repository: Path, environment: Environment, settings: dict[str, Any]
) -> None:
    with pytest.raises(ServerError, match=str(next(iter(settings.values())))):
        TritonServer(repository, environment=environment, **settings).start()


def test_a_log_that_cannot_be_written_is_an_error(repository: Path, environment: Environment, tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="cannot be written"):
        TritonServer(repository, environment=environment, log_file=tmp_path).start()


def test_two_servers_run_beside_each_other(repository: Path, environment: Environment) -> None:
    with (
        TritonServer(repository, environment=environment) as one,
        TritonServer(repository, environment=environment) as two,
    ):
        assert one.endpoints.http != two.endpoints.http
        one.stop()
        assert [each.state for each in two.models()] == ["READY"]


def test_a_server_whose_model_was_killed_ends_and_says_so(repository: Path, environment: Environment) -> None:
    with TritonServer(repository, environment=environment) as server:
        stubs = [one for one in psutil.Process(server.pid).children() if "stub" in one.name()]
        assert len(stubs) == 2
        stubs[0].send_signal(signal.SIGKILL)
        with pytest.raises(ServerDied, match="was ended by SIGKILL"):
            server.wait(GONE_WITHIN_S)
        assert psutil.wait_procs(stubs, timeout=GONE_WITHIN_S)[1] == []


def test_a_server_that_died_starts_again_where_it_was(repository: Path, environment: Environment) -> None:
    with TritonServer(repository, environment=environment) as server:
        before, first = server.endpoints, server.pid
        os.kill(first, signal.SIGKILL)
        with pytest.raises(ServerDied):
            server.wait(GONE_WITHIN_S)
        server.restart()
        assert (server.endpoints, {name for name, *_ in server.models()}) == (before, {"plus_one"})
        assert server.pid != first
