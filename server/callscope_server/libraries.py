"""Which shared libraries a program of the server will find, answered by the loader that will look for them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from callscope_server.findings import Finding


def library_path(folders: Sequence[Path]) -> str:
    """`folders`, then what the user has set, as a value of LD_LIBRARY_PATH."""
    inherited = os.environ.get("LD_LIBRARY_PATH", "")
    return ":".join([*map(str, folders), *filter(None, inherited.split(":"))])


def missing_libraries(program: Path, folders: Sequence[Path]) -> tuple[str, ...]:
    """Names of the libraries that the dynamic loader would not find for `program`.

    The loader itself is asked to list them, the way ldd does: nothing of the program runs.

    Args:
        program: an ELF executable.
        folders: searched before the system's folders, as the server would have them.
    """
    environment = {"LD_TRACE_LOADED_OBJECTS": "1", "LD_LIBRARY_PATH": library_path(folders)}
    listing = subprocess.run([program], env=environment, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603 (a path of ours)
    absent = [line.split("=>")[0].strip() for line in listing.stdout.splitlines() if "not found" in line]
    too_old = [line.strip() for line in listing.stderr.splitlines() if "not found" in line]
    return tuple(absent + too_old)


def check_libpython(stub: Path, python_version: str, folders: Sequence[Path]) -> Finding:
    """Whether Triton's Python stub will find the libpython it is linked with.

    Args:
        stub: `triton_python_backend_stub` for this Python.
        python_version: such as "3.11".
        folders: searched before the system's folders.
    """
    name = f"libpython{python_version}.so"
    missing = [library for library in missing_libraries(stub, folders) if library.startswith("libpython")]
    if not missing:
        return Finding("libpython", True, f"{name} is found")
    return Finding(
        "libpython",
        False,
        f"Triton's Python backend needs {missing[0]}, and this machine's loader does not find it",
        _remedy(python_version),
    )


def _remedy(python_version: str) -> str:
    return (
        f"On Debian and Ubuntu: apt-get install libpython{python_version}. "
        f"On Fedora and RHEL: dnf install python{python_version}-libs. "
        f"With pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install --force {python_version}. "
        f"Pythons of conda and uv bring it; if it is somewhere else, add its folder to LD_LIBRARY_PATH."
    )
