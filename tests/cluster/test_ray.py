"""`callscope batch --engine ray`: what the local engine makes, made by workers that may die."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from tests.e2e.running import Ended, left_after, marked, run, started

from callscope_server.environment import Environment
from callscope_server.launcher import TritonServer

from .conftest import contents

ray = pytest.importorskip("ray", reason="Ray is not installed here: `make test-ray` has an environment with it")

COUNT = int(os.environ.get("CALLSCOPE_RAY_CALLS", "300"))
WORKERS = ("--engine", "ray", "--workers", "2")
ACTOR = "ray::RayWorker"
ENDING_S = 10.0


def workers(mark: str) -> list[psutil.Process]:
    """The processes in which Ray's workers are."""
    return [process for process in marked(mark) if ACTOR in " ".join(process.cmdline())]


@pytest.fixture
def batch(tmp_path: Path, triton: TritonServer, server_environment: Environment) -> Callable[..., Ended]:
    def call(*arguments: object, **options: object) -> Ended:
        environment = {"CALLSCOPE_SERVER_ENVIRONMENT": str(server_environment.path)}
        address = f"grpc://{triton.endpoints.grpc}"
        return run("batch", *arguments, "--server", address, cwd=tmp_path, env=environment, **options)  # type: ignore[arg-type]

    return call


def test_workers_make_what_the_local_engine_makes_though_one_is_killed(
    batch: Callable[..., Ended], triton: TritonServer, recordings: Callable[[int], Path], tmp_path: Path
) -> None:
    folder = recordings(COUNT)
    (folder / "twin.wav").write_bytes((folder / "000.wav").read_bytes())
    (folder / "broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEfmt ")
    local = batch("in", "--store", "local.db")
    assert local.code == 3, local.stderr
    assert f"{COUNT} analysed, 1 had a result, 1 set aside." in local.stderr
    arguments = ("batch", "in", "--store", "ray.db", *WORKERS, "--server", f"grpc://{triton.endpoints.grpc}")
    with started(*arguments, cwd=tmp_path) as (process, mark):
        _wait_for(tmp_path / "ray.db", COUNT // 3)
        victim = workers(mark)[0]
        os.kill(victim.pid, signal.SIGKILL)
        stdout, stderr = process.communicate(timeout=600)
        assert process.returncode == 3, stderr
        assert left_after(mark, ENDING_S) == ()
    assert stdout == ""
    assert "analysed" in stderr
    assert "1 set aside." in stderr
    assert "Traceback" not in stderr
    made, wanted = contents(tmp_path / "ray.db"), contents(tmp_path / "local.db")
    assert len(wanted) == COUNT
    assert made == wanted


def _wait_for(database: Path, count: int) -> None:
    for _ in range(3000):
        if database.exists() and len(contents(database)) >= count:
            return
        time.sleep(0.2)
    raise AssertionError("the batch makes no progress")


def test_what_ends_a_batch_ends_it_with_the_same_sentence_and_code(
    batch: Callable[..., Ended], recordings: Callable[[int], Path]
) -> None:
    recordings(2)
    ended = batch("in", "--store", "calls.db", *WORKERS, "--language", "xx")
    assert ended.code == 2, ended.stderr
    assert "does not know the language 'xx'" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert left_after("", 0) == ()


def test_secrets_reach_the_workers_and_nobody_else_and_no_port_is_open_to_others(
    triton: TritonServer, recordings: Callable[[int], Path], tmp_path: Path
) -> None:
    recordings(6)
    secret, heard = "Bearer-9f8e7d6c", set[str]()
    environment = {"CALLSCOPE_HEADERS": f"Authorization: {secret}"}
    arguments = ("batch", "in", "--store", "calls.db", *WORKERS, "--server", f"grpc://{triton.endpoints.grpc}")
    with started(*arguments, cwd=tmp_path, env=environment) as (process, mark):
        seen: set[str] = set()
        while process.poll() is None:
            running = marked(mark)
            seen.update(" ".join(_command(each)) for each in running)
            heard.update(address for each in running for address in _listening(each))
            time.sleep(0.2)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    assert any(ACTOR in line for line in seen)
    assert heard
    assert heard <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}
    assert secret not in stdout + stderr + "".join(seen)
    logs = Path("/tmp/ray/session_latest").resolve() / "logs"
    held = [file for file in logs.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]
    assert held == []


def _listening(process: psutil.Process) -> list[str]:
    """The addresses on which a process waits for connections."""
    try:
        return [one.laddr.ip for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
    except psutil.Error:
        return []


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
