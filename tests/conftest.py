"""Fixtures that more than one folder of tests uses: the repository, a real Triton over it, recordings of real calls."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from callscope_server.environment import Environment
    from callscope_server.launcher import TritonServer

ROOT = Path(__file__).parents[1]


def pytest_configure() -> None:
    """Heeds Ctrl-C: a shell's background job ignores it, and so would all that the tests start and then interrupt.

    No test uses a result of an earlier run again, nor leaves one in the user's cache, nor goes by the terminal's width.
    """
    os.environ.pop("COLUMNS", None)
    os.environ["CALLSCOPE_CACHE"] = "off"
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The model repository of this checkout."""
    return ROOT / "model_repository"


@pytest.fixture(scope="session")
def demo_calls() -> Path:
    """The bundled calls: NAME.wav, with its script in NAME.toml."""
    return ROOT / "demo" / "calls"


@pytest.fixture(scope="session")
def server_environment() -> Environment:
    """The environment that tritonserver runs in: the Makefile's, or the user's own."""
    from callscope_server.environment import ensure_environment  # noqa: PLC0415  most tests need no server

    made = ROOT / ".venv-server"
    return ensure_environment(made if made.is_dir() else None)


@pytest.fixture(scope="session")
def triton(
    repository: Path, server_environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TritonServer]:
    """A tritonserver over this checkout's model repository, for the whole run."""
    if not list(repository.glob("*/config.pbtxt")):
        pytest.skip(f"{repository} holds no models: export some with `callscope export`")
    from callscope_server.launcher import TritonServer  # noqa: PLC0415  as above

    log_file = tmp_path_factory.mktemp("triton") / "triton.log"
    with TritonServer(repository, environment=server_environment, log_file=log_file) as server:
        yield server


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Recordings of human speech, which are no part of the project."""
    folder = Path(os.environ.get("CALLSCOPE_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"there are no recordings in {folder}: name a folder in CALLSCOPE_TEST_DATA")
    return folder


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """What a command sets up for its log ends with its test; environments without the client's packages have none."""
    yield
    if logs := sys.modules.get("callscope.telemetry.logs"):
        logs.end_logging()
