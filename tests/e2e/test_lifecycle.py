"""The server that a command starts for itself lives as long as the command, however that ends."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from .running import TIMEOUT_S, Cli, left_after, marked, started

if TYPE_CHECKING:
    from callscope_server.environment import Environment

GONE_WITHIN_S = 10.0
SERVER = "tritonserver"
STUB = "triton_python_b"


def wait_until_it_analyses(process: psutil.Process, mark: str) -> None:
    """Wait until the command is connected to the gRPC port of its own server."""
    deadline_s = time.monotonic() + TIMEOUT_S
    while not any(port in grpc_ports(mark) for port in connected_ports(process)):
        assert process.status() != psutil.STATUS_ZOMBIE, "the command ended before it came to analyse"
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    assert any(each.name().startswith(STUB) for each in marked(mark))


def grpc_ports(mark: str) -> list[int]:
    servers = [each for each in marked(mark) if each.name() == SERVER]
    arguments = [argument.split("=") for server in servers for argument in server.cmdline()]
    return [int(value) for flag, *rest in arguments for value in rest if flag == "--grpc-port"]


def connected_ports(process: psutil.Process) -> list[int]:
    return [each.raddr.port for each in process.net_connections("tcp") if each.status == psutil.CONN_ESTABLISHED]


def test_kill_9_while_it_analyses_leaves_nothing_after_ten_seconds(
    here: Path, demo_calls: Path, server_environment: Environment
) -> None:
    calls = sorted(demo_calls.glob("*.wav"))
    made = {"CALLSCOPE_SERVER_ENVIRONMENT": str(server_environment.path)}
    with started("analyze", *calls, "--output", "results/", cwd=here, env=made) as (process, mark):
        wait_until_it_analyses(psutil.Process(process.pid), mark)
        process.kill()
        process.wait()
        assert left_after(mark, GONE_WITHIN_S) == ()


def test_a_command_with_its_own_server_ends_with_nothing_left(callscope: Cli, noise: Path) -> None:
    ended = callscope("analyze", noise)
    assert (ended.code, ended.stderr, ended.left) == (0, "", ())
    assert json.loads(ended.stdout)["segments"] == []
