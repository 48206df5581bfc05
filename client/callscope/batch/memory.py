"""How much memory this machine, or the container on it, still has."""

from __future__ import annotations

from pathlib import Path

MACHINE = Path("/proc/meminfo")
CONTAINER = Path("/sys/fs/cgroup")
KIB = 1024


def memory_left_bytes(machine: Path = MACHINE, container: Path = CONTAINER) -> int | None:
    """Bytes that a process may still take; None where nothing tells.

    Args:
        machine: Linux's own account.
        container: where the limit of a control group is (version 2), if there is one.
    """
    known = [left for left in (_of_machine(machine), _of_container(container)) if left is not None]
    return min(known) if known else None


def _of_machine(file: Path) -> int | None:
    try:
        lines = file.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * KIB for line in lines if line.startswith("MemAvailable:")), None)


def _of_container(folder: Path) -> int | None:
    try:
        most = (folder / "memory.max").read_text(encoding="ascii").strip()
        used = int((folder / "memory.current").read_text(encoding="ascii"))
        kept = dict(line.split() for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines())
    except (OSError, ValueError):
        return None
    cached = int(kept.get("inactive_file", 0))
    return None if most == "max" else int(most) - used + cached
