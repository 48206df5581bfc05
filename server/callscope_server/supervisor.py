"""Keeps a tritonserver, and everything it started, from outliving the process that asked for it.

This file is run as a script, with the standard library only, in a session of its own. One JSON object arrives on the
first line of its input; it answers with the server's pid, then watches. It ends the server when a line or the end of
the input arrives, when its parent is gone (`kill -9` included), or on SIGTERM; and when a process that runs a model was
killed, for Triton goes on saying that the model is ready, and fails every request for it.

A second process, forked from this one, waits for its end: of the server, or of a supervisor that was killed itself. It
then kills what is left of the server, and removes its shared memory and the scratch folder. The Python stubs are not
left to end by themselves: one whose server dies while it loads a model waits for an answer for ever.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 (where POSIX shared memory is on Linux)
POLL_S = 0.2
ZOMBIE = "Z"
ORPHAN_GRACE_S = 1.0
LOST = "callscope: a process that runs a model was ended by signal"
"""Begins the line that is written to the log when that happens; the signal's number follows."""

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> int:
    """Start, watch, end, clean up; the exit status is the server's, in the shell's convention."""
    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as unbuffered:  # select() watches what follows
        order = json.loads(unbuffered.readline())
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    stopping: list[int] = []
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    alive = _fork_cleaner(order)
    signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    try:
        server = _start(order, alive)
        with contextlib.suppress(BrokenPipeError):
            print(server.pid, flush=True)  # noqa: T201 (the answer to the parent)
        _watch(server, order, stopping)
    finally:
        os.close(alive)
        _reap()
    return server.returncode if server.returncode >= 0 else 128 - server.returncode


def _fork_cleaner(order: dict[str, Any]) -> int:
    """Fork the process that cleans up when the pipe it reads from is closed.

    Returns:
        The pipe's other end, which the kernel closes when this process ends. The server's pid is to be written to it.
    """
    reading, alive = os.pipe()
    if os.fork():
        os.close(reading)
        return alive
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for inherited in (alive, sys.stdin.fileno(), sys.stdout.fileno()):
        os.close(inherited)
    with os.fdopen(reading, "rb") as pipe:
        group = pipe.read()
    with contextlib.suppress(ProcessLookupError, ValueError):
        os.killpg(int(group), signal.SIGKILL)
    _clean(order)
    os._exit(0)


def _start(order: dict[str, Any], alive: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 (the command comes from our parent)
        order["command"],
        env=order["environment"],
        cwd=order["scratch"],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        process_group=0,
        preexec_fn=lambda: _become_server(alive),  # noqa: PLW1509 (this process has one thread)
    )


def _become_server(alive: int) -> None:
    """Run in the server's process just before it becomes the server: the kernel is to kill it with the supervisor."""
    os.write(alive, str(os.getpid()).encode())
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _watch(server: subprocess.Popen[bytes], order: dict[str, Any], stopping: list[int]) -> None:
    while server.poll() is None:
        told, _, _ = select.select([sys.stdin], [], [], POLL_S)
        asked = bool(told) and bool(os.read(sys.stdin.fileno(), 1))
        if asked or stopping:
            return _terminate(server, order["grace_s"])
        if told or os.getppid() != order["parent"]:
            return _terminate(server, ORPHAN_GRACE_S)
        if number := _killed_stub(server.pid):
            print(f"{LOST} {number}", file=sys.stderr, flush=True)  # noqa: T201 (the log)
            return _terminate(server, ORPHAN_GRACE_S)
    return None


def _killed_stub(server_pid: int) -> int:
    """The signal that ended a child of the server; 0 where each runs, or ended by itself.

    The server does not wait for its stubs, so that the state of one that ended can be read: proc_pid_stat(5).
    """
    for thread in Path(f"/proc/{server_pid}/task").glob("*/children"):
        for child in _read(thread).split():
            state, *_, status = _read(Path(f"/proc/{child}/stat")).rpartition(")")[2].split() or ("", "0")
            if state == ZOMBIE and os.WIFSIGNALED(int(status)):
                return os.WTERMSIG(int(status))
    return 0


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:  # the process is gone
        return ""


def _terminate(server: subprocess.Popen[bytes], grace_s: float) -> None:
    server.terminate()
    try:
        server.wait(grace_s)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _reap() -> None:
    """Wait for the cleaner, and for the stubs that it killed."""
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def _clean(order: dict[str, Any]) -> None:
    for region in SHARED_MEMORY.glob(f"{order['shared_memory_prefix']}*"):
        region.unlink(missing_ok=True)
    shutil.rmtree(order["scratch"], ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
