"""Made-up results of many calls, the same in every run."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
RATIOS = (
    "honorific_ratio",
    "positive_word_ratio",
    "negative_word_ratio",
    "euphonious_word_ratio",
    "empathy_ratio",
    "apology_ratio",
)
STRANGE = 17
"""The call that is far longer and more silent than all others."""


def result(number: int, chance: random.Random) -> dict[str, Any]:
    """One result, with the fields that the page reads."""
    language = chance.choice(("ko", "ko", "ja", "en"))
    known = chance.random() > 0.15
    strange = number == STRANGE
    duration = 5400.0 if strange else max(20.0, chance.gauss(240, 60))
    mood = chance.gauss(0.05, 0.25)
    party = {
        "share_of_speech": min(max(chance.gauss(0.58, 0.1), 0.05), 0.95),
        "words_per_minute": None if language == "ja" else chance.gauss(130, 20),
        "characters_per_minute": chance.gauss(320, 40),
        "sentiment": {"mean": max(-1, min(1, mood)), "trend": chance.gauss(0.1, 0.2)}
        if chance.random() > 0.1
        else None,
    }
    quality = {name: round(chance.random(), 3) if known else None for name in RATIOS}
    date = START + timedelta(hours=number * 3.1)
    return {
        "schema_version": "1.0",
        "call": {
            "source": f"calls/{number:04}.wav", "duration": round(duration, 3), "language": language,
            "metadata": {"date": date.isoformat(), "team": chance.choice("ABC"), "agent": f"=A-{number % 12}"},
        },
        "processing": {"created_at": date.isoformat(), "degraded": ["sentiment"] if number % 9 == 0 else []},
        "metrics": {
            "roles": {"agent": party if known else None, "customer": dict(party) if known else None},
            "non_talk": {"share_of_call": 0.9 if strange else max(0.0, chance.gauss(0.12, 0.04))},
            "response_latency": {"median": abs(chance.gauss(0.9, 0.4))} if known else None,
            "interruptions": {"count": chance.randrange(6)},
        },
        "quality": {**quality, "evidence": []},
    }  # fmt: skip


def write_results(folder: Path, count: int = 300, seed: int = 3) -> Path:
    """A folder with a file for each call; every second has a page beside it."""
    chance = random.Random(seed)
    for number in range(count):
        file = folder / f"{number:04}.json"
        file.write_text(json.dumps(result(number, chance)), encoding="utf-8")
        if number % 2 == 0:
            file.with_suffix(".html").write_text("<!DOCTYPE html><title>call</title>", encoding="utf-8")
    return folder
