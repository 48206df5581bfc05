"""`callscope serve` over a real Triton."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tritonclient import http

from ...small_models import add_model, make_slow

if TYPE_CHECKING:
    from callscope_server.environment import Environment

BEGUN_S = 0.5
LENGTH_S = 2.0
SAMPLE_ROUNDS = 100
NUMBERS = {name: f'name: "{name}" data_type: TYPE_FP32 dims: [1]' for name in "xy"}


@pytest.fixture
def serving(tmp_path: Path, server_environment: Environment) -> Iterator[subprocess.Popen[str]]:
    add_model(tmp_path / "models", "slow", make_slow(), **NUMBERS)
    command = [sys.executable, "-m", "callscope", "serve", "--repository", str(tmp_path / "models")]
    options = ["--http-port=0", "--grpc-port=0", "--metrics-port=0"]
    options.append(f"--server-environment={server_environment.path}")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*command, *options], cwd=tmp_path, text=True, **pipes) as process:
        yield process
        process.kill()


def address_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return next(line.split("http://")[1].strip() for line in process.stdout if line.startswith("HTTP"))


def rounds(count: float) -> http.InferInput:
    x = http.InferInput("x", [1, 1], "FP32")
    return x.set_data_from_numpy(np.array([[count]], np.float32))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_that_runs_when_the_signal_comes_is_answered(
    serving: subprocess.Popen[str], number: signal.Signals
) -> None:
    with http.InferenceServerClient(address_of(serving)) as client:
        client.infer("slow", [rounds(1)])
        begun_s = time.monotonic()
        client.infer("slow", [rounds(SAMPLE_ROUNDS)])
        pace = SAMPLE_ROUNDS / (time.monotonic() - begun_s)
        pending = client.async_infer("slow", [rounds(pace * LENGTH_S)])
        time.sleep(BEGUN_S)
        serving.send_signal(number)
        assert pending.get_result().as_numpy("y").shape == (1, 1)
    _, said = serving.communicate(timeout=30)
    assert serving.returncode == 0
    assert said.splitlines()[-2:] == ["Stopping Triton …", "Stopped."]
