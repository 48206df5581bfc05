"""Servers that cannot be reached, started or used: one sentence and an exit code each, and nothing is left."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from callscope_server import Environment, TritonServer

from ..damaged_environments import install_other_numpy, link_environment, python_without_library, use_stub_of
from ..small_models import add_model, make_plus_one
from .running import Cli


@pytest.fixture
def damaged(server_environment: Environment, tmp_path: Path) -> Environment:
    """An environment of links to the real one, to be damaged."""
    return link_environment(server_environment, tmp_path / "environment")


@pytest.fixture
def other_server(server_environment: Environment, tmp_path: Path) -> Iterator[TritonServer]:
    """A Triton that serves something else."""
    add_model(tmp_path / "other", "plus_one", make_plus_one())
    with TritonServer(tmp_path / "other", environment=server_environment) as running:
        yield running


@pytest.mark.parametrize("wire", ["grpc", "http"])
def test_an_unreachable_server(callscope: Cli, call: Path, free_port: int, wire: str) -> None:
    url = f"{wire}://127.0.0.1:{free_port}"
    callscope("analyze", call, "--server", url).failed_with(4, "No Triton answers", url, "callscope serve")


def test_a_server_that_serves_something_else(callscope: Cli, call: Path, other_server: TritonServer) -> None:
    url = f"grpc://{other_server.endpoints.grpc}"
    ended = callscope("analyze", call, "--server", url)
    ended.failed_with(5, url, "serves plus_one but not transcribe")
    assert other_server.models()[0].state == "READY"


@pytest.mark.parametrize("which", ["http", "grpc", "metrics"])
def test_a_port_in_use(callscope: Cli, repository: Path, which: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = {name: port if name == which else 0 for name in ("http", "grpc", "metrics")}
        flags = [f"--{name}-port={number}" for name, number in ports.items()]
        callscope("serve", "--repository", repository, *flags).failed_with(4, f"Port {port}", "already in use")


def test_a_repository_with_a_corrupt_graph(callscope: Cli, repository: Path, call: Path, tmp_path: Path) -> None:
    copy = tmp_path / "repository"
    shutil.copytree(repository, copy)
    (graph,) = copy.glob("whisper_encoder/*/model.onnx")
    graph.write_bytes(graph.read_bytes()[:100_000])
    ended = callscope("analyze", call, "--repository", copy)
    ended.failed_with(5, "Model 'whisper_encoder' does not load", "Mend")


def test_a_repository_that_is_none(callscope: Cli, call: Path, tmp_path: Path) -> None:
    callscope("analyze", call, "--repository", tmp_path / "none").failed_with(5, "none", "cannot be read")


def test_no_libpython(
    callscope: Cli, call: Path, repository: Path, damaged: Environment, server_environment: Environment
) -> None:
    version = python_without_library(server_environment)
    use_stub_of(damaged, version)
    ended = callscope("analyze", call, "--repository", repository, "--server-environment", damaged.path)
    ended.failed_with(6, f"libpython{version}.so", "apt-get install")


def test_numpy_2_in_the_servers_environment(callscope: Cli, call: Path, repository: Path, damaged: Environment) -> None:
    install_other_numpy(damaged, "2.3.5")
    ended = callscope("analyze", call, "--repository", repository, "--server-environment", damaged.path)
    ended.failed_with(6, "NumPy 2.3.5", "pip install numpy==1.")
