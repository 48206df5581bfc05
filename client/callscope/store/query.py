"""What can be asked of a store, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Query:
    """Which calls; a field that is None asks for all.

    Attributes:
        since: calls of that time or later, by their own date or else that of their analysis.
        until: calls before that time.
        language: ISO 639-1.
        degraded: whether a step fell back.
        role: who says `text`: agent, customer or unknown.
        text: what a segment holds, in any case and width.
        above: figure -> least value.
        below: figure -> greatest value.
        order: a figure, "dated_at", "created_at" or "duration_s"; with "-" before it, the greatest first.
        limit: how many calls at most.
    """

    since: datetime | None = None
    until: datetime | None = None
    language: str | None = None
    degraded: bool | None = None
    role: str | None = None
    text: str | None = None
    above: tuple[tuple[str, float], ...] = ()
    below: tuple[tuple[str, float], ...] = ()
    order: str = "-dated_at"
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Hit:
    """A segment that holds what was searched for."""

    sha256: str
    source: str
    segment: str
    start_s: float
    end_s: float
    speaker: str
    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """A call in short: what its row holds besides the whole result."""

    sha256: str
    id: str
    source: str
    dated_at: datetime
    created_at: datetime
    duration_s: float
    language: str | None
    degraded: tuple[str, ...]
    attributes: dict[str, str]
    figures: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Status:
    """How much a store holds."""

    url: str
    revision: str
    calls: int
    segments: int
    oldest: datetime | None
    newest: datetime | None


def as_row(found: Found) -> dict[str, Any]:
    """For tables and CSV: plain values under their names."""
    return {
        "dated_at": found.dated_at.isoformat(timespec="seconds"),
        "source": found.source,
        "id": found.id,
        "duration": round(found.duration_s, 3),
        "language": found.language,
        "degraded": " ".join(found.degraded),
    } | {name: None if value is None else round(value, 6) for name, value in found.figures.items()}
