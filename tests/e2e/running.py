"""The command line as a user runs it: a process of its own, whose every descendant can be found afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

ROOT = Path(__file__).parents[2]
SOURCES = ("client", "preprocessing", "export", "server")
MARK = "CALLSCOPE_TEST_RUN"
TIMEOUT_S = 300.0
"""Far more than any command needs: a bound, and no measurement."""
CLOSING_S = 2.0


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: its exit code.
        stdout: all of its output.
        stderr: all that it said beside.
        left: what it started and did not end.
    """

    code: int
    stdout: str
    stderr: str
    left: tuple[str, ...]

    def failed_with(self, code: int, *words: str) -> None:
        """Check that the command refused: the exit code, one line that has these words, no traceback, nothing left."""
        assert self.code == code, self.stderr
        lines = self.stderr.splitlines()
        assert len(lines) == 1, self.stderr
        assert [word for word in words if word not in lines[0]] == [], lines[0]
        assert "Traceback" not in self.stdout + self.stderr
        assert "unexpectedly" not in lines[0]
        assert self.stdout == ""
        assert self.left == ()


Cli = Callable[..., Ended]


def environment(mark: str, given: Mapping[str, str]) -> dict[str, str]:
    """The test's own environment without the user's settings and cache, and with a mark that descendants inherit."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CALLSCOPE_")}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in SOURCES),
        "CALLSCOPE_CACHE": "off",
        MARK: mark,
        **given,
    }


def marked(mark: str) -> list[psutil.Process]:
    """The processes that carry a mark and still run."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == mark:
                found.append(process)
        except psutil.Error:  # it has just gone, or is not ours
            continue
    return found


def left_after(mark: str, seconds: float) -> tuple[str, ...]:
    """The names of what still runs when so many seconds have passed, or nothing as soon as nothing does."""
    deadline_s = time.monotonic() + seconds
    while (still := marked(mark)) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    return tuple(f"{process.pid} {_name(process)}" for process in still)


def _name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())[:200]
    except psutil.Error:
        return "gone"


@contextmanager
def started(
    *arguments: object,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    before: Callable[[], None] | None = None,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the command; its process, and the mark of all that it starts. Whatever is left at the end is killed."""
    mark = uuid.uuid4().hex
    line = [sys.executable, "-m", "callscope", *map(str, arguments)]
    with subprocess.Popen(
        line,
        cwd=cwd,
        env=environment(mark, env or {}),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=before,  # noqa: PLW1509  the tests run in one thread
    ) as process:
        try:
            yield process, mark
        finally:
            for remaining in marked(mark):
                remaining.kill()


def run(
    *arguments: object,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    before: Callable[[], None] | None = None,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
) -> Ended:
    """Run a command to its end."""
    with started(*arguments, cwd=cwd, env=env, before=before, stdin=stdin) as (process, mark):
        stdout, stderr = process.communicate(timeout=TIMEOUT_S)
        return Ended(process.returncode, stdout, stderr, left_after(mark, CLOSING_S))
