"""Whether memory grows over many calls: of one `callscope batch`, and of the server with its models.

    python -m bench.memory [--calls 2000]

Recordings of some seconds, each of other content, go through one process into SQLite. Resident memory is read all the
time and told by quarters of the calls; the last has to be at most 1.05 times the second. Exit code 1 where it is more.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.chaos.batch import SET_ASIDE, Batch
from bench.chaos.recordings import make_recordings
from bench.machine import describe_machine
from callscope_server.launcher import TritonServer

REPOSITORY = Path(__file__).parents[1] / "model_repository"
MOST_GROWTH = 1.05
LOOK_S = 0.5
MIB = 2**20
QUARTERS = 4


@dataclass(slots=True)
class Watched:
    """Resident memory in MiB, by quarters of the calls."""

    client: list[list[float]] = field(default_factory=lambda: [[] for _ in range(QUARTERS)])
    server: list[list[float]] = field(default_factory=lambda: [[] for _ in range(QUARTERS)])

    def look(self, quarter: int, client: int, server: int) -> None:
        """Read it now, of two processes with what they started."""
        self.client[quarter].append(_resident_mib(client))
        self.server[quarter].append(_resident_mib(server))


def _resident_mib(pid: int) -> float:
    try:
        first = psutil.Process(pid)
        return sum(one.memory_info().rss for one in (first, *first.children(recursive=True))) / MIB
    except psutil.NoSuchProcess:
        return 0.0


def _count(file: Path) -> int:
    try:
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
            return int(connection.execute("SELECT count(*) FROM calls").fetchone()[0])
    except sqlite3.Error:
        return 0


def watch(folder: Path, calls: int) -> Watched:
    """Run the batch, and watch it and its server."""
    make_recordings(folder / "recordings", calls)
    watched, file = Watched(), folder / "calls.db"
    with TritonServer(REPOSITORY) as server:
        batch = Batch(folder, str(file), f"grpc://{server.endpoints.grpc}")
        batch.start()
        try:
            while not batch.has_ended():
                watched.look(min(QUARTERS - 1, QUARTERS * _count(file) // calls), batch.pid, server.pid)
                time.sleep(LOOK_S)
        finally:
            batch.kill()
    if batch.wait() != SET_ASIDE or _count(file) != calls:
        raise SystemExit(f"The batch ended with {batch.codes} after {_count(file)} calls:\n{batch.last_words()}")
    return watched


def tell(name: str, quarters: list[list[float]]) -> float:
    """Print the medians; the last as a multiple of the second."""
    medians = [statistics.median([one for one in quarter if one] or [0.0]) for quarter in quarters]
    growth = medians[-1] / medians[1]
    print(f"{name:8}" + "".join(f"{one:9.1f}" for one in medians) + f"   MiB, last to second {growth:.3f}")
    return growth


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=2000)
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="callscope-memory-") as folder:
        watched = watch(Path(folder), given.calls)
    print(f"{given.calls} calls in {time.monotonic() - began:.0f} s, {describe_machine()}; medians by quarters")
    growth = max(tell("client", watched.client), tell("server", watched.server))
    sys.exit(growth > MOST_GROWTH)


if __name__ == "__main__":
    main()
