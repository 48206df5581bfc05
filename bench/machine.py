"""The machine a benchmark ran on, in words."""

from __future__ import annotations

import os
import platform
from pathlib import Path

NOTABLE = ("avx2", "avx512f", "avx_vnni", "avx512_vnni", "amx_int8")


def describe_machine() -> str:
    """Name the processor, how many of its cores are used, what helps with integers, and the memory."""
    facts = dict(
        (part.strip() for part in line.split(":", 1))
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if ":" in line
    )
    flags = [flag for flag in NOTABLE if flag in facts.get("flags", "").split()]
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores of {facts.get('model name', platform.machine())} ({', '.join(flags)}), {memory_gib:.0f} GiB"
