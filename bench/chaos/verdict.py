"""What is in the database after all that, against what a calm run made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import psycopg

from bench.chaos.batch import SET_ASIDE, Batch
from bench.chaos.recordings import POISONED
from callscope.report.json import schema
from callscope.store.query import Query
from callscope.store.sql import open_store

COUNTS = """
SELECT (SELECT count(*) FROM calls), (SELECT count(DISTINCT sha256) FROM calls), (SELECT count(*) FROM results),
       (SELECT count(*) FROM segments), (SELECT count(DISTINCT (call, id)) FROM segments)
"""
TIMES = {"created_at", "wall_seconds", "rtf"}
Results = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many results there are, and how many are not as they should be."""

    results: int
    lost: int
    doubled: int
    corrupt: int
    different: int
    degraded: int
    not_aside: int
    left_behind: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        wrong = (self.lost, self.doubled, self.corrupt, self.different, self.degraded, self.not_aside, self.left_behind)
        return not any(wrong)


def read_results(store: str) -> Results:
    """Whole results by the SHA-256 of their recording."""
    opened = open_store(store)
    try:
        return {result["call"]["sha256"]: result for result in opened.export(Query())}
    finally:
        opened.close()


def judge(batch: Batch, calm: Results) -> Verdict:
    """Compare with the calm run, all but when it was, how long it took, and how often something was tried."""
    found = read_results(batch.store)
    with psycopg.connect(batch.store) as connection:
        row = connection.execute(COUNTS).fetchone() or (0,) * 5
    rows, recordings, whole, segments, different_segments = row
    validator = jsonschema.Draft202012Validator(schema())
    said = sum(len(result["segments"]) for result in found.values())
    return Verdict(
        results=rows,
        lost=len(calm.keys() - found.keys()),
        doubled=abs(rows - recordings) + abs(whole - rows) + (segments - different_segments) + abs(segments - said),
        corrupt=sum(not validator.is_valid(result) for result in found.values()),
        different=sum(_content(found[sha256]) != _content(calm[sha256]) for sha256 in found.keys() & calm.keys()),
        degraded=sum(
            found[sha256]["processing"]["degraded"] != calm[sha256]["processing"]["degraded"]
            for sha256 in found.keys() & calm.keys()
        ),
        not_aside=len(batch.set_aside() ^ POISONED.keys()) + (batch.codes[-1] != SET_ASIDE),
        left_behind=len(_files(batch.temporary)),
    )


def _content(result: Mapping[str, Any]) -> Mapping[str, Any]:
    processing = {name: value for name, value in result["processing"].items() if name not in TIMES}
    steps = [{name: step[name] for name in ("name", "status", "error")} for step in processing["steps"]]
    return {**result, "processing": {**processing, "steps": steps}}


def _files(folder: Path) -> list[Path]:
    return list(folder.rglob("*"))
