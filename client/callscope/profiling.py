"""One call under the profiler: what its steps, the server's models and Python's functions cost."""

from __future__ import annotations

import asyncio
import cProfile
import pstats
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callscope.call import Call
from callscope.pipeline import analyze
from callscope.settings import Settings
from callscope.steps import Progress, silent
from callscope.triton.resilient import open_transport
from callscope.triton.statistics import ModelStatistics, since, together
from callscope.triton.tls import Tls
from callscope.triton.transport import Wire, addresses, connect


@dataclass(frozen=True, slots=True)
class Function:
    """What a function of Python cost.

    Attributes:
        name: FILE:LINE(NAME), the file from its package on.
        calls: how often it was called.
        own_s: seconds in it and not in what it called.
        total_s: seconds until it returned.
    """

    name: str
    calls: int
    own_s: float
    total_s: float


@dataclass(frozen=True, slots=True)
class Profile:
    """What a call cost.

    Attributes:
        call: the result, with its steps and their seconds.
        models: the work of the server's models meanwhile, by name; that of others who use it included.
        stats: of the profiler.
    """

    call: Call
    models: dict[str, ModelStatistics]
    stats: pstats.Stats

    def functions(self, count: int) -> list[Function]:
        """The most expensive functions by their own time."""
        found = [
            Function(_place(file, line, name), calls, own_s, total_s)
            for (file, line, name), (_, calls, own_s, total_s, _) in self.stats.stats.items()  # type: ignore[attr-defined]  # typeshed lacks it
        ]
        return sorted(found, key=lambda one: one.own_s, reverse=True)[:count]


async def profile_call(path: Path, servers: str, settings: Settings, *, progress: Progress = silent) -> Profile:
    """Analyse a call under the profiler.

    What usually runs in threads of its own runs in this one, where the profiler sees it. Channels and noise are still
    worked on by threads; the wait for them is theirs.

    Args:
        path: the recording.
        servers: what `server_url` gives.
        settings: see `analyze`.
        progress: see `analyze`.

    Raises:
        AudioError, TritonError: see `analyze`.
    """
    asyncio.get_running_loop().set_default_executor(_Here())
    transport, wires = open_transport(servers, settings), _wires(servers, settings)
    profiler = cProfile.Profile()
    try:
        before = await _work(wires)
        profiler.enable()
        try:
            call = await analyze(path, transport, settings, progress=progress)
        finally:
            profiler.disable()
        return Profile(call, since(before, await _work(wires)), pstats.Stats(profiler))
    finally:
        await asyncio.gather(transport.close(), *(wire.close() for wire in wires))


class _Here(ThreadPoolExecutor):
    """Does at once, in the thread that asks, what it is given."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:  # noqa: ANN401  its base's
        done: Future[Any] = Future()
        try:
            done.set_result(work(*arguments, **named))
        except Exception as error:
            done.set_exception(error)
        return done


def _wires(servers: str, settings: Settings) -> list[Wire]:
    tls = Tls(settings.tls_ca, settings.tls_cert, settings.tls_key)
    fields = settings.header_fields()
    return [connect(url, timeout_s=settings.timeout_s, headers=fields, tls=tls) for url in addresses(servers)]


async def _work(wires: Sequence[Wire]) -> dict[str, ModelStatistics]:
    return together(await asyncio.gather(*(wire.statistics() for wire in wires)))


def _place(file: str, line: int, name: str) -> str:
    if file == "~":  # written in C
        return name
    parts = Path(file).parts
    from_package = next((parts[index + 1 :] for index, part in enumerate(parts) if part == "site-packages"), parts[-2:])
    return f"{'/'.join(from_package)}:{line}({name})"
