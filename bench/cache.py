"""How much faster a batch is whose results are kept: the same recordings twice, into a new database each time.

    python -m bench.cache [--calls 300] [--seconds 8]

Recordings are pieces of the demo calls, each of other content, analysed by `callscope batch` with a real Triton. The
server runs before and after; the commands' own start is in their times. The ratio is of two times of one run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from callscope.store.query import Query
from callscope.store.sql import open_store
from callscope_server.launcher import TritonServer

ROOT = Path(__file__).parents[1]
LANGUAGES = ("en", "ja", "ko")
STEP_S = 0.37
"""Between the beginnings of two pieces of a call."""


@dataclass(frozen=True)
class Run:
    """One batch: its seconds, and its results by recording."""

    wall_s: float
    results: dict[str, dict[str, Any]]

    @property
    def cached(self) -> int:
        """How many results were used again."""
        return sum(result["processing"]["cached"] for result in self.results.values())


def make_recordings(folder: Path, count: int, seconds: float) -> None:
    """Pieces that begin at other places, and after the end of a call again from its start, softer each time."""
    sounds = [soundfile.read(ROOT / "demo" / "calls" / f"{name}.wav", dtype="int16") for name in LANGUAGES]
    for number in range(count):
        sound, rate_hz = sounds[number % len(LANGUAGES)]
        length = round(seconds * rate_hz)
        turns, start = divmod(round(number * STEP_S * rate_hz), len(sound) - length)
        piece = np.round(sound[start : start + length] * 0.97**turns).astype(np.int16)
        soundfile.write(folder / f"{number:05}.wav", piece, rate_hz)


def run(folder: Path, name: str, server: str) -> Run:
    """`callscope batch` as a user runs it, into a database of its own."""
    store = folder / f"{name}.db"
    command = [sys.executable, "-m", "callscope", "batch", folder / "recordings", "--store", store]
    command += ["--server", server, "--cache", folder / "cache", "--at-once", "2"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CALLSCOPE_")}
    began = time.perf_counter()
    subprocess.run([*map(str, command)], check=True, cwd=folder, env=environment)
    wall_s = time.perf_counter() - began
    return Run(wall_s, dict(_results(store)))


def _results(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    store = open_store(str(file))
    try:
        for result in store.export(Query()):
            yield result["call"]["sha256"], result
    finally:
        store.close()


def alike(first: Run, second: Run) -> int:
    """How many results are the same, but for saying that they were used again."""
    count = 0
    for sha256, result in first.results.items():
        again = second.results.get(sha256, {"processing": {}})
        again["processing"]["cached"] = result["processing"]["cached"]
        count += again == result
    return count


def main() -> None:
    """Measure, and print a line a run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each recording")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "recordings").mkdir()
        make_recordings(folder / "recordings", given.calls, given.seconds)
        with TritonServer(ROOT / "model_repository") as server:
            address = f"grpc://{server.endpoints.grpc}"
            first, second = run(folder, "first", address), run(folder, "second", address)
        cache_bytes = sum(file.stat().st_size for file in (folder / "cache").iterdir())
    cached = second.cached
    print(f"{given.calls} recordings of {given.seconds:g} s, {len(first.results)} different")
    print(f"first run   {first.wall_s:8.1f} s, {first.cached} from the cache")
    print(f"second run  {second.wall_s:8.1f} s, {cached} from the cache, {alike(first, second)} alike")
    print(f"ratio       {first.wall_s / second.wall_s:8.1f}")
    print(f"cache       {cache_bytes / len(first.results) / 1e3:8.1f} kB a result")


if __name__ == "__main__":
    main()
