"""One guarded server and one gateway for all tests of the deployment."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .running import ROOT, Guarded, gateway, guarded_triton, required

if TYPE_CHECKING:
    from callscope_server.environment import Environment


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What deploy/make-secrets.sh makes."""
    required("openssl", "openssl")
    folder = tmp_path_factory.mktemp("secrets") / "made"
    subprocess.run([ROOT / "deploy" / "make-secrets.sh", folder], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def guarded(
    server_environment: Environment, repository: Path, secrets: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Guarded]:
    """A Triton over this checkout's models, as deployments start it."""
    with guarded_triton(server_environment, repository, secrets, tmp_path_factory.mktemp("guarded")) as server:
        yield server


@pytest.fixture(scope="session")
def front(guarded: Guarded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The gateway before it: host:port."""
    with gateway(guarded, tmp_path_factory.mktemp("gateway")) as place:
        yield place
