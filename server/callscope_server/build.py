"""Making the server's environment: once, by one process at a time, and never used half-made."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import venv
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from callscope_server.errors import EnvironmentBroken

MARK = "callscope-environment.json"
Progress = Callable[[str], None]


def is_complete(folder: Path, requirements: Path) -> bool:
    """Whether `folder` can be used as it is: ours, finished and up to date, or made by somebody else."""
    mark = _read_mark(folder)
    if mark is None:
        return (folder / "pyvenv.cfg").is_file()
    return mark == {"complete": True, "requirements": _digest(requirements)}


def build(folder: Path, requirements: Path, progress: Progress) -> None:
    """Make a virtual environment with exactly the packages of `requirements`.

    The folder carries a mark that says "incomplete" from its first moment to its last: what a process killed in between
    leaves, the next one recognises and removes.

    Raises:
        EnvironmentBroken: the folder holds something else, cannot be written, or pip failed.
    """
    try:
        with _only_one(folder, progress):
            if not is_complete(folder, requirements):
                _make(folder, requirements, progress)
    except OSError as error:
        raise EnvironmentBroken(
            f"The server's environment cannot be written to {folder}: {error.strerror or error}. "
            f"Make room there, or set CALLSCOPE_SERVER_ENVIRONMENT to a folder you can write to."
        ) from error


@contextmanager
def _only_one(folder: Path, progress: Progress) -> Iterator[None]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("Another process is making the server's environment; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(folder: Path, requirements: Path, progress: Progress) -> None:
    _claim(folder, requirements)
    progress(f"Making the server's environment in {folder} (once; about 100 MB are fetched)")
    _create_venv(folder)
    _install(folder, requirements, progress)
    _write_mark(folder, complete=True, requirements=requirements)
    progress("The server's environment is ready")


def _claim(folder: Path, requirements: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if _read_mark(folder) is None and any(folder.iterdir()):
        raise EnvironmentBroken(
            f"{folder} holds something that is not a server environment. "
            f"Set CALLSCOPE_SERVER_ENVIRONMENT to an empty or new folder."
        )
    _write_mark(folder, complete=False, requirements=requirements)
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != MARK:
            entry.unlink()


def _create_venv(folder: Path) -> None:
    try:
        venv.EnvBuilder(symlinks=True, with_pip=True).create(folder)
    except subprocess.CalledProcessError as error:
        raise EnvironmentBroken(
            "Python could not put pip into the server's environment. On Debian and Ubuntu: apt-get "
            "install python3-venv; elsewhere use a Python that has the ensurepip module."
        ) from error


def _install(folder: Path, requirements: Path, progress: Progress) -> None:
    command = [
        str(folder / "bin" / "python"),
        "-I",
        "-m",
        "pip",
        "install",
        "--no-input",
        "--disable-pip-version-check",
    ]
    command += ["--progress-bar", "off", "--no-deps", "--only-binary", ":all:", "--requirement", str(requirements)]
    tail: deque[str] = deque(maxlen=20)
    environment = {**os.environ, "PIP_USER": "0", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment) as pip:  # noqa: S603
        for line in pip.stdout or ():
            tail.append(line.strip())
            _tell(line.strip(), progress)
    if pip.returncode:
        reason = next((line for line in tail if line.startswith("ERROR")), tail[-1] if tail else "no output")
        raise EnvironmentBroken(
            f"pip could not install the server's packages: {reason.removeprefix('ERROR: ')}. "
            f"Check the network and the disk, then try again; nothing half-made will be used."
        )


def _tell(line: str, progress: Progress) -> None:
    if line.startswith(("Collecting", "Downloading", "Processing", "Installing")):
        progress(line.split(" (from ", maxsplit=1)[0])


def _read_mark(folder: Path) -> dict[str, object] | None:
    try:
        mark = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, NotADirectoryError):
        return {}
    return mark if isinstance(mark, dict) else {}


def _write_mark(folder: Path, *, complete: bool, requirements: Path) -> None:
    partial = folder / f"{MARK}.partial"
    partial.write_text(json.dumps({"complete": complete, "requirements": _digest(requirements)}), encoding="utf-8")
    partial.replace(folder / MARK)


def _digest(requirements: Path) -> str:
    return hashlib.sha256(requirements.read_bytes()).hexdigest()
