"""A batch of recordings while tritonserver, the database and the batch itself are killed, and the disk is full once.

    python -m bench.chaos [--calls 300] [--seed 1]

First a calm run into SQLite; then the same recordings into a PostgreSQL on a small disk, with everything that the plan
asks for; last a calm run with `--redo degraded`. Exit code 0 where each recording has one result, which is that of the
calm run, and 1 where not.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path

from bench.chaos.batch import DONE, SET_ASIDE, Batch
from bench.chaos.database import Database, disk
from bench.chaos.plan import Blow, Plan, due
from bench.chaos.recordings import make_recordings
from bench.chaos.storm import Storm
from bench.chaos.verdict import Verdict, judge, read_results
from bench.machine import describe_machine
from callscope_server.launcher import TritonServer

REPOSITORY = Path(__file__).parents[2] / "model_repository"


def weather(plan: Plan, folder: Path) -> tuple[Storm, Verdict]:
    """The calm run, the storm, and what is left.

    Args:
        plan: what is done.
        folder: an empty one, which the account of PostgreSQL can reach.
    """
    make_recordings(folder / "recordings", plan.calls)
    place, chance = folder / "disk", random.Random(plan.seed)
    place.mkdir()
    with disk(place) as limited, TritonServer(REPOSITORY) as server:
        address = f"grpc://{server.endpoints.grpc}"
        calm = Batch(folder, str(folder / "calm.db"), address)
        _run(calm)
        if not limited:
            print("This account may not mount a disk of limited size: the disk is never full.")
            plan = replace(plan, full=0)
        database = Database(place, limited=limited)
        batch = Batch(folder, database.url, address)
        storm = Storm(batch, server, database, plan.calls, chance)
        try:
            storm.rage(due(plan, chance))
            _run(batch, "--redo", "degraded")
            return storm, judge(batch, read_results(calm.store))
        finally:
            batch.kill()
            database.stop()


def _run(batch: Batch, *more: str) -> None:
    batch.start(*more)
    code = batch.wait()
    if code not in {DONE, SET_ASIDE}:
        raise SystemExit(f"A calm batch ended with exit code {code}:\n{batch.last_words()}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--servers", type=int, default=20, help="how often tritonserver is killed")
    parser.add_argument("--databases", type=int, default=5, help="how often the database is restarted")
    parser.add_argument("--batches", type=int, default=10, help="how often the batch is killed")
    given = parser.parse_args()
    plan = Plan(**vars(given))
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="callscope-chaos-") as folder:
        storm, verdict = weather(plan, Path(folder))
    print(f"\n{describe_machine()}; seed {plan.seed}, {time.monotonic() - began:.0f} s")
    for blow, count in sorted(storm.dealt.items()):
        print(f"{blow:24}{count:5}")
    print(f"{'after the last result':24}{storm.late:5}\n{'batch run again':24}{storm.again:5}")
    print(f"{'batch said disk full':24}{storm.said_full:5}")
    for name, value in asdict(verdict).items():
        print(f"{name.replace('_', ' '):24}{value:5}")
    dealt = not storm.late and storm.said_full == storm.dealt[Blow.FULL]
    sys.exit(not (dealt and verdict.is_whole and verdict.results == plan.calls))


if __name__ == "__main__":
    main()
