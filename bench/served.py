"""One start of a server, taken apart by the times in Triton's log."""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import psutil

from callscope.triton.grpc import GrpcTransport
from callscope_server import Environment
from callscope_server.launcher import TritonServer

GRAPHS = ("log_mel", "whisper_encoder", "whisper_decoder", "whisper_aligner")
MIB = 2**20
SAMPLES = 480_000
LINE = re.compile(r"^[IWE]\d{4} (\d\d:\d\d:\d\d\.\d{6}) \d+ [\w.]+:\d+\] \"?(.*?)\"?\s*$")


@dataclass(frozen=True, slots=True)
class Start:
    """What was seen of one start.

    Attributes:
        ready_s: from the call until every model could take requests.
        loaded_mib: what tritonserver and its Python stubs then held, shared pages counted once.
        worked_mib: the same after one window of sound.
        phases: seconds by "where: what".
    """

    ready_s: float
    loaded_mib: float
    worked_mib: float
    phases: Mapping[str, float]


def start(repository: Path, environment: Environment) -> Start:
    """Start a server, let it transcribe one window, and end it."""
    with tempfile.TemporaryDirectory(prefix="callscope-bench-") as folder:
        log = Path(folder) / "log"
        began = time.perf_counter()
        with TritonServer(repository, environment=environment, log_file=log, startup_timeout_s=600) as server:
            ready_s = time.perf_counter() - began
            loaded_mib = held_mib(server.pid)
            asyncio.run(_transcribe(server.endpoints.grpc))
            worked_mib = held_mib(server.pid)
        return Start(ready_s, loaded_mib, worked_mib, read_phases(log.read_text(encoding="utf-8"), ready_s))


def held_mib(pid: int) -> float:
    """Memory of a process and what it has started: the sum of their proportional shares."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return float(sum(process.memory_full_info().pss for process in family) / MIB)


def read_phases(log: str, ready_s: float) -> dict[str, float]:
    """Take a start apart.

    Args:
        log: Triton's, of that start.
        ready_s: How long it took.
    """
    events = [(_seconds(match[1]), match[2]) for line in log.splitlines() if (match := LINE.match(line))]
    first, loading, listening = events[0][0], _when(events, "loading: "), _when(events, "Started HTTPService")
    loaded = max(at for at, text in events if text.startswith("successfully loaded"))
    phases = {"server: checks before, poll after": ready_s - _between(first, listening)}
    phases |= {"server: tritonserver itself": _between(first, loading) + _between(loaded, listening)}
    for name in GRAPHS:
        opened = next((at, text) for at, text in events if text.startswith(f"{name}: "))
        session_s = float(opened[1].split(" in ")[1].split()[0])
        instance = _when(events, f"TRITONBACKEND_ModelInstanceInitialize: {name}_")
        phases[f"{name}: stub and imports"] = _between(instance, opened[0]) - session_s
        phases[f"{name}: session"] = session_s
        phases[f"{name}: warm-up"] = _between(opened[0], _when(events, f"successfully loaded '{name}'"))
    return phases


def _seconds(clock: str) -> float:
    return (datetime.strptime(clock, "%H:%M:%S.%f") - datetime(1900, 1, 1)) / timedelta(seconds=1)


def _between(one: float, other: float) -> float:
    """Seconds from one time of the day to another, past midnight too; a little below 0 where lines changed places."""
    return (other - one + 3_600) % 86_400 - 3_600


def _when(events: list[tuple[float, str]], start_of_text: str) -> float:
    return next(at for at, text in events if text.startswith(start_of_text))


async def _transcribe(address: str) -> None:
    transport = GrpcTransport(address, timeout_s=600)
    options = {"language": -1, "task": -1, "max_tokens": 80}
    inputs = {name: np.array([[value]], np.int32) for name, value in options.items()}
    noise = np.random.default_rng(0).normal(0, 1000, (1, SAMPLES)).astype(np.int16)
    try:
        await transport.infer(
            "transcribe_words",
            {"audio": noise, **inputs, "temperature": np.zeros((1, 1), np.float32)},
            outputs=["tokens", "alignment"],
        )
    finally:
        await transport.close()
