"""The command line in an empty folder, and the address of one server for all tests that only need one."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import numpy as np
import pytest
import soundfile

from callscope.report.json import schema

from .running import Cli, run

if TYPE_CHECKING:
    from callscope_server.environment import Environment
    from callscope_server.launcher import TritonServer

RATE_HZ = 8000


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The empty folder in which commands run."""
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


@pytest.fixture
def callscope(here: Path, server_environment: Environment) -> Cli:
    """Run a command: callscope("analyze", file, env={...})."""

    def call(*arguments: object, env: dict[str, str] | None = None, **options: Any) -> Any:
        made = {"CALLSCOPE_SERVER_ENVIRONMENT": str(server_environment.path)}
        return run(*arguments, cwd=here, env={**made, **(env or {})}, **options)

    return call


@pytest.fixture(scope="session")
def server(triton: TritonServer) -> tuple[str, str]:
    """The flag that makes a command use the tests' own server."""
    return "--server", f"grpc://{triton.endpoints.grpc}"


@pytest.fixture
def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="session")
def call(demo_calls: Path) -> Path:
    """The English demo call."""
    return demo_calls / "en.wav"


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """A second of quiet noise: sound, and no speech."""
    samples = np.random.default_rng(1).normal(0, 0.01, RATE_HZ).astype(np.float32)
    soundfile.write(tmp_path / "noise.wav", samples, RATE_HZ)
    return tmp_path / "noise.wav"


@pytest.fixture(scope="session")
def validate() -> Callable[[Any], None]:
    """Check a result against the published schema."""
    checker = jsonschema.Draft202012Validator(schema(), format_checker=jsonschema.FormatChecker())
    return partial(checker.validate)
