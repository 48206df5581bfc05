"""A process under the supervisor: it ends when it is stopped, and when whoever started it is gone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from callscope_server.errors import ServerDied, ServerError

SUPERVISOR = Path(__file__).with_name("supervisor.py")


class SupervisedProcess:
    """A running program, its Python stubs, its shared memory and its scratch folder, as one thing that can be ended.

    Args:
        command: the program and its arguments.
        environment: its environment variables.
        scratch: its working folder, removed when it has ended.
        shared_memory_prefix: regions whose names begin so are removed when it has ended.
        grace_s: how long it has to end by itself after SIGTERM.
        log_file: where its output goes; a file in `scratch` if not given.

    Raises:
        ServerDied: it could not be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        scratch: Path,
        shared_memory_prefix: str,
        grace_s: float,
        log_file: Path | None,
    ) -> None:
        self._grace_s = grace_s
        self._scratch = scratch
        self._log = (log_file or scratch / "log").open("w+b")
        supervisor = [sys.executable, "-I", "-S", str(SUPERVISOR)]
        self._supervisor = subprocess.Popen(  # noqa: S603 (our own script)
            supervisor, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, start_new_session=True
        )
        order = {
            "command": list(command),
            "environment": dict(environment),
            "scratch": str(scratch),
            "shared_memory_prefix": shared_memory_prefix,
            "parent": os.getpid(),
            "grace_s": grace_s,
        }
        self.pid = self._order(order)

    def status(self) -> int | None:
        """How it ended, in the shell's convention; None while it runs."""
        return self._supervisor.poll()

    def log_text(self) -> str:
        """All that it has written so far."""
        size_bytes = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size_bytes, 0).decode("utf-8", errors="replace")

    def stop(self) -> None:
        """SIGTERM, then SIGKILL when the grace is over; returns when nothing of it is left."""
        self._tell(b"stop\n")
        with suppress(BrokenPipeError):
            self._input.close()
        try:
            self._supervisor.wait(self._grace_s + 5)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait()
        self._output.close()
        self._log.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _order(self, order: Mapping[str, object]) -> int:
        self._tell(json.dumps(order).encode() + b"\n")
        answer = self._output.readline()
        if not answer:
            reason = self.log_text().strip().splitlines()[-1:] or ["no reason was given"]
            self.stop()
            raise ServerDied(
                f"The server could not be started: {reason[0]}. Remove its environment to have it made again."
            )
        return int(answer)

    def _tell(self, line: bytes) -> None:
        with suppress(BrokenPipeError):
            self._input.write(line)
            self._input.flush()

    @property
    def _input(self) -> IO[bytes]:
        return _opened(self._supervisor.stdin)

    @property
    def _output(self) -> IO[bytes]:
        return _opened(self._supervisor.stdout)


def check_writable(log_file: Path) -> None:
    """Make sure that a log can be written to `log_file`; folders are made.

    Raises:
        ServerError: it cannot.
    """
    try:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        log_file.open("ab").close()
    except OSError as error:
        raise ServerError(f"The log {log_file} cannot be written: {error.strerror}. Choose another file.") from error


def _opened(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("the supervisor was started without its pipes")
    return pipe
