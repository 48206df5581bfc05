"""Many short recordings, each of other content, and the database that a batch made of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile
from sqlalchemy import create_engine

from callscope.store.rows import unpack
from callscope.store.tables import calls, results, segments

LENGTH_S, STEP_S = 2.5, 0.2


@pytest.fixture
def recordings(demo_calls: Path, tmp_path: Path) -> Callable[[int], Path]:
    """A folder of so many pieces of the demo's calls."""

    def cut(count: int) -> Path:
        folder = tmp_path / "in"
        folder.mkdir()
        sounds = [soundfile.read(demo_calls / f"{language}.wav", dtype="int16") for language in ("en", "ja", "ko")]
        for number in range(count):
            sound, rate_hz = sounds[number % 3]
            start = int(number // 3 * STEP_S * rate_hz)
            soundfile.write(folder / f"{number:03}.wav", sound[start : start + int(LENGTH_S * rate_hz)], rate_hz)
        return folder

    return cut


def contents(database: Path) -> dict[str, Any]:
    """Everything that is stored of each call, without when and how fast it was made."""
    engine = create_engine(f"sqlite:///{database}")
    found: dict[str, Any] = {}
    with engine.connect() as connection:
        rows = connection.execute(calls.join(results, results.c.call == calls.c.number).select()).mappings()
        for row in rows:
            kept = {name: row[name] for name in calls.c.keys() if name not in {"number", "dated_at", "created_at"}}  # noqa: SIM118  columns are no dict
            said = segments.select().where(segments.c.call == row["number"]).order_by(segments.c.start_s)
            lines = [
                {name: value for name, value in line.items() if name not in {"number", "call"}}
                for line in connection.execute(said).mappings()
            ]
            assert row["sha256"] not in found, "a call has two results"
            found[row["sha256"]] = kept, _timeless(unpack(row["packed"], row["sha256"])), lines
    engine.dispose()
    return found


def _timeless(document: dict[str, Any]) -> dict[str, Any]:
    processing = document["processing"]
    for name in ("created_at", "wall_seconds", "rtf"):
        processing.pop(name)
    for step in processing["steps"]:
        step.pop("seconds")
        step.pop("attempts")
    return document
