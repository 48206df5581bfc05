"""A real tritonserver over small graphs made here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import onnx
import psutil
import pytest

from callscope_server import Environment

from ..small_models import add_model, make_graph, make_plus_one

GraphMaker = Callable[..., onnx.ModelProto]
AddModel = Callable[..., Path]


@pytest.fixture(scope="session")
def environment(server_environment: Environment) -> Environment:
    return server_environment


@pytest.fixture(scope="session")
def graph() -> GraphMaker:
    return make_graph


@pytest.fixture(scope="session")
def plus_one() -> GraphMaker:
    return make_plus_one


@pytest.fixture(scope="session")
def model() -> AddModel:
    return add_model


@dataclass(frozen=True)
class Footprint:
    """What a process that runs a server has started and allocated, to be looked at again when it is gone."""

    processes: tuple[psutil.Process, ...]
    shared_memory_prefix: str
    scratch: tuple[Path, ...]
    before: frozenset[str]

    @classmethod
    def of(cls, pid: int, others: frozenset[psutil.Process], before: frozenset[str]) -> Footprint:
        """What `pid` runs now; `others` and the shared memory there was `before` belong to other tests."""
        processes = tuple(each for each in psutil.Process(pid).children(recursive=True) if each not in others)
        commands = [_command(process) for process in processes]
        scratch = {
            Path(argument.split("=")[1]).parent for c in commands for argument in c if "backend-directory" in argument
        }
        return cls(processes, f"callscope_{pid}_", tuple(scratch), before)

    def names(self) -> list[str]:
        """Of those that still run, as the kernel cuts them."""
        found = []
        for process in self.processes:
            with suppress(psutil.NoSuchProcess):  # it has ended meanwhile, perhaps between these two questions
                found += [process.name()[:15]] if process.cmdline() else []
        return sorted(found)

    def left_after(self, seconds: float) -> list[str]:
        _, alive = psutil.wait_procs(self.processes, timeout=seconds)
        regions = {path.name for path in Path("/dev/shm").glob(f"{self.shared_memory_prefix}*")} - self.before
        return [
            *(str(each) for each in alive),
            *sorted(regions),
            *(str(each) for each in self.scratch if each.exists()),
        ]


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:  # it has ended meanwhile
        return []


@pytest.fixture
def footprint() -> Callable[[int], Footprint]:
    others = frozenset(psutil.Process().children(recursive=True))
    before = frozenset(path.name for path in Path("/dev/shm").iterdir())
    return lambda pid: Footprint.of(pid, others, before)
