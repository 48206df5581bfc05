"""Made-up results of many calls, the same in every run."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from hashlib import sha256
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
AGENTS = ("Ada", "Baek", "Chiba", "Duri", "Eun", "Fay", "=SUM(A1)", "Goto")
QUEUES = ("billing", "delivery", "technical")
STRANGE = 17
"""The call that is far longer and more silent than all others."""


def result(number: int, chance: random.Random) -> dict[str, Any]:
    """One result, with the fields that the page reads."""
    language = chance.choice(("ko", "ko", "ja", "en"))
    known = chance.random() > 0.15
    strange = number == STRANGE
    agent = chance.randrange(len(AGENTS))
    date = START + timedelta(hours=number * 3.1)
    source = f"calls/{number:04}.wav"
    digest = sha256(source.encode()).hexdigest()
    quality = {name: _ratio(chance, 0.1 + 0.1 * place) if known else None for place, name in enumerate(RATIOS)}
    return {
        "schema_version": "1.0",
        "call": {
            "id": digest[:16], "source": source, "sha256": digest, "language": language,
            "duration": 5400.0 if strange else round(20 + chance.lognormvariate(5.2, 0.4), 3),
            "metadata": {
                "date": date.isoformat(), "queue": chance.choice(QUEUES), "agent": AGENTS[agent],
                "ticket": f"T{number}",
            },
        },
        "processing": {"created_at": date.isoformat(), "degraded": ["sentiment"] if number % 9 == 0 else []},
        "metrics": {
            "roles": {
                "agent": _party(chance, language, 0.58) if known else None,
                "customer": _party(chance, language, 0.42, mood=0.1 * (agent - 4)) if known else None,
            },
            "non_talk": {"share_of_call": 0.9 if strange else _ratio(chance, 0.12)},
            "response_latency": {"median": round(chance.lognormvariate(-0.3, 0.4), 3)} if known else None,
            "interruptions": {"count": min(int(chance.expovariate(0.9)), 9)},
        },
        "quality": {**quality, "evidence": []},
    }  # fmt: skip


def write_results(folder: Path, count: int = 300, seed: int = 3) -> Path:
    """A folder with a file for each call; every second has a page beside it."""
    for number, one in enumerate(results(count, seed)):
        file = folder / f"{number:04}.json"
        file.write_text(json.dumps(one), encoding="utf-8")
        if number % 2 == 0:
            file.with_suffix(".html").write_text("<!DOCTYPE html><title>call</title>", encoding="utf-8")
    return folder


def results(count: int = 300, seed: int = 3) -> list[dict[str, Any]]:
    """The results themselves."""
    chance = random.Random(seed)
    return [result(number, chance) for number in range(count)]


def _party(chance: random.Random, language: str, share: float, mood: float = 0.1) -> dict[str, Any]:
    sentiment = {"mean": max(-1, min(1, chance.gauss(mood, 0.2))), "trend": chance.gauss(0.1, 0.2)}
    return {
        "share_of_speech": _ratio(chance, share),
        "words_per_minute": None if language == "ja" else chance.gauss(150 if language == "en" else 90, 15),
        "characters_per_minute": chance.gauss(650 if language == "en" else 320, 40),
        "sentiment": sentiment if chance.random() > 0.1 else None,
    }


def _ratio(chance: random.Random, mean: float) -> float:
    return round(min(max(chance.gauss(mean, 0.09), 0.0), 1.0), 6)
