"""A server that somebody needs starts again when it dies."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import onnx
import psutil
import pytest

from callscope_server import Environment, ServerError, TritonServer
from callscope_server.keeper import kept

BACK_WITHIN_S = 60


@pytest.fixture
def repository(tmp_path: Path, model: Callable[..., Path], plus_one: Callable[..., onnx.ModelProto]) -> Path:
    model(tmp_path, "plus_one", plus_one())
    return tmp_path


def is_back(server: TritonServer, after: int) -> bool:
    if server.pid in (0, after):
        return False
    try:
        return [state for _, _, state, _ in server.models()] == ["READY"]
    except ServerError:
        return False


def test_a_kept_server_that_is_killed_is_back_where_it_was(repository: Path, environment: Environment) -> None:
    with kept(TritonServer(repository, environment=environment)) as server:
        first, places = server.pid, server.endpoints
        os.kill(first, signal.SIGKILL)
        give_up = time.monotonic() + BACK_WITHIN_S
        while not is_back(server, first) and time.monotonic() < give_up:
            time.sleep(0.1)
        assert (is_back(server, first), server.endpoints) == (True, places)
        second = server.pid
    assert not psutil.pid_exists(second)


def test_a_kept_server_that_cannot_start_again_is_left(
    repository: Path, environment: Environment, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callscope_server.keeper.PAUSES_S", (0.0, 0.0))
    with kept(TritonServer(repository, environment=environment)) as server:
        (repository / "plus_one" / "1" / "model.onnx").write_bytes(b"no graph")
        os.kill(server.pid, signal.SIGKILL)
        give_up = time.monotonic() + BACK_WITHIN_S
        while "not started again" not in caplog.text and time.monotonic() < give_up:
            time.sleep(0.1)
    assert "Model 'plus_one' does not load" in caplog.text
    assert "Triton is not started again." in caplog.text
