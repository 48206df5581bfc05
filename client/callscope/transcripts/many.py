"""Many transcripts at once without a server: a process for each core, and no more waiting than memory bears."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from callscope.call import Call
from callscope.settings import Settings
from callscope.transcripts.errors import TranscriptInvalid
from callscope.transcripts.flow import analyze_transcripts

AHEAD = 8
"""Files a core that are analysed or done before the first of them is taken."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a transcript could not be analysed.

    Attributes:
        message: for the user.
        exit_code: None for a bug.
        names_file: whether the message says which file.
    """

    message: str
    exit_code: int | None
    names_file: bool


Outcome = tuple[Path, tuple[Call, ...] | Failure]


def analyze_offline(
    sources: Iterable[Path],
    settings: Settings,
    *,
    agent: str | None = None,
    encoding: str = "",
    cores: int | None = None,
) -> Iterator[Outcome]:
    """Analyse transcripts without a server, in their order.

    Args:
        sources: the files.
        settings: see `analyze_transcripts`.
        agent: what they call the agent.
        encoding: how files are written that are not UTF-8.
        cores: processes; as many as the machine has cores without it.

    Yields:
        Each file with its calls, or with what is wrong.
    """
    count = cores or os.cpu_count() or 1
    work = partial(_analyzed, settings=settings, agent=agent, encoding=encoding)
    files = iter(sources)
    if count == 1:
        yield from ((file, work(file)) for file in files)
        return
    with ProcessPoolExecutor(count) as processes:
        yield from _in_order(files, lambda file: processes.submit(work, file), AHEAD * count)


def _in_order(
    files: Iterator[Path], submit: Callable[[Path], Future[tuple[Call, ...] | Failure]], ahead: int
) -> Iterator[Outcome]:
    waiting = deque((file, submit(file)) for file in islice(files, ahead))
    while waiting:
        file, outcome = waiting.popleft()
        yield file, outcome.result()
        waiting.extend((one, submit(one)) for one in islice(files, 1))


def _analyzed(file: Path, *, settings: Settings, agent: str | None, encoding: str) -> tuple[Call, ...] | Failure:
    try:
        return asyncio.run(analyze_transcripts(file, None, settings, agent=agent, encoding=encoding))
    except Exception as error:
        code = getattr(error, "exit_code", None)
        bug = "" if isinstance(code, int) else f"{type(error).__name__}: "
        return Failure(f"{bug}{error}", code, isinstance(error, TranscriptInvalid))
