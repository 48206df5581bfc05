"""A call in the few figures that the page needs, read from its result."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from callscope.call import SCHEMA_VERSION
from callscope.errors import CallscopeError

DATE_KEYS = ("date", "datetime", "started_at", "start_time", "timestamp", "call_date")
"""Metadata that tells when a call took place."""
RATIOS = (
    "honorific_ratio",
    "positive_word_ratio",
    "negative_word_ratio",
    "euphonious_word_ratio",
    "empathy_ratio",
    "apology_ratio",
)


class ResultInvalid(CallscopeError):
    """A file is no result of Callscope."""

    exit_code: ClassVar[int] = 3

    def __init__(self, place: str, why: str) -> None:
        super().__init__(place, why)
        self.place, self.why = place, why

    def __str__(self) -> str:
        """What is wrong, and what to do."""
        return (
            f"{self.place} is no result of Callscope ({self.why}). "
            "Leave it out, or make it again with `callscope analyze`."
        )


@dataclass(frozen=True, slots=True)
class Brief:
    """What the page knows of a call. A figure that cannot be computed is None.

    Attributes:
        source: the recording.
        date: when it took place by its metadata, else when it was analysed.
        link: the call's own page, relative to this one; None without one.
        figures: name -> value; rates of speech are the agent's.
        metadata: whatever came with the call.
    """

    source: str
    date: datetime
    language: str | None
    roles_known: bool
    degraded: tuple[str, ...]
    link: str | None
    figures: Mapping[str, float | None]
    metadata: Mapping[str, str] = field(default_factory=dict)


def read_briefs(file: Path, beside: Path) -> Iterator[Brief]:
    """The calls of a file, one in JSON, one a line in JSON Lines.

    Args:
        file: a result, or several.
        beside: the folder of the page that links to the calls' own.

    Raises:
        ResultInvalid: the file cannot be read, or something in it is no result.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ResultInvalid(str(file), "it cannot be read") from error
    lines = text.splitlines() if file.suffix == ".jsonl" else [text]
    link = _link(file, beside) if len(lines) == 1 else None
    for number, line in enumerate(lines, start=1):
        if line.strip() or len(lines) == 1:
            yield _brief(line, f"{file}, line {number}" if len(lines) > 1 else str(file), link)


def _brief(text: str, place: str, link: str | None) -> Brief:
    try:
        result = json.loads(text)
        version = result["schema_version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ResultInvalid(place, "it has no schema_version") from None
    if str(version).split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise ResultInvalid(place, f"its schema_version is {version}, and this Callscope reads {SCHEMA_VERSION}")
    try:
        return _made(result, link)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ResultInvalid(place, f"something is missing or of another type: {error}") from None


def _made(result: Mapping[str, Any], link: str | None) -> Brief:
    call, metrics = result["call"], result["metrics"]
    agent, customer = metrics["roles"]["agent"], metrics["roles"]["customer"]
    latency, quality = metrics["response_latency"] or {}, result["quality"] or {}
    figures: dict[str, Any] = {
        "duration": call["duration"],
        "agent_share": (agent or {}).get("share_of_speech"),
        "non_talk_share": metrics["non_talk"]["share_of_call"],
        "latency": latency.get("median"),
        "interruptions": metrics["interruptions"]["count"],
        "words_per_minute": (agent or {}).get("words_per_minute"),
        "characters_per_minute": (agent or {}).get("characters_per_minute"),
        "agent_sentiment": ((agent or {}).get("sentiment") or {}).get("mean"),
        "customer_sentiment": ((customer or {}).get("sentiment") or {}).get("mean"),
        "customer_trend": ((customer or {}).get("sentiment") or {}).get("trend"),
        **{name: quality.get(name) for name in RATIOS},
    }
    return Brief(
        source=str(call["source"]),
        date=_date(call["metadata"], result["processing"]["created_at"]),
        language=call["language"],
        roles_known=bool(agent and customer),
        degraded=tuple(map(str, result["processing"]["degraded"])),
        link=link,
        figures={name: None if value is None else float(value) for name, value in figures.items()},
        metadata={str(key): str(value) for key, value in call["metadata"].items()},
    )


def _date(metadata: Mapping[str, str], created_at: str) -> datetime:
    for text in (*(metadata.get(key, "") for key in DATE_KEYS), created_at):
        try:
            date = datetime.fromisoformat(text)
        except ValueError:
            continue
        return date if date.tzinfo else date.replace(tzinfo=UTC)
    raise ValueError("created_at is no time")


def _link(file: Path, beside: Path) -> str | None:
    page = file.with_suffix(".html")
    if not page.is_file():
        return None
    return Path(os.path.relpath(page.resolve(), beside.resolve())).as_posix()
