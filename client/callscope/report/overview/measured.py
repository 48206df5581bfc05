"""The figures that the page shows: how each is written, and in which order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of `Brief.figures`.

    Attributes:
        name: its key.
        text: the key of what it is called.
        unit: "percent" (of a ratio), "minutes" or "seconds" (of seconds), "count" or "score".
        by_language: whether calls of different languages cannot be compared in it.
        trend: whether its course over the days is shown.
    """

    name: str
    text: str
    unit: str
    by_language: bool = False
    trend: bool = False


FIGURES = (
    Figure("duration", "overview.duration", "minutes"),
    Figure("agent_share", "overview.agent_share", "percent", trend=True),
    Figure("non_talk_share", "measure.non_talk", "percent", trend=True),
    Figure("latency", "measure.response_median", "seconds", trend=True),
    Figure("interruptions", "measure.interruptions", "count"),
    Figure("customer_sentiment", "overview.customer_sentiment", "score", trend=True),
    Figure("customer_trend", "overview.customer_trend", "score"),
    Figure("agent_sentiment", "overview.agent_sentiment", "score"),
    Figure("words_per_minute", "measure.words_per_minute", "count", by_language=True),
    Figure("characters_per_minute", "measure.characters_per_minute", "count", by_language=True),
    Figure("honorific_ratio", "measure.honorific_ratio", "percent", trend=True),
    Figure("euphonious_word_ratio", "measure.euphonious_word_ratio", "percent"),
    Figure("empathy_ratio", "measure.empathy_ratio", "percent", trend=True),
    Figure("apology_ratio", "measure.apology_ratio", "percent"),
    Figure("positive_word_ratio", "measure.positive_word_ratio", "percent"),
    Figure("negative_word_ratio", "measure.negative_word_ratio", "percent"),
)
IN_TABLE = (
    "duration",
    "agent_share",
    "non_talk_share",
    "latency",
    "interruptions",
    "customer_sentiment",
    "empathy_ratio",
)
"""The columns of the table of calls."""
COMPARED = ("agent_share", "non_talk_share", "latency", "customer_sentiment", "honorific_ratio", "empathy_ratio")
"""The columns of the comparisons."""
SCALES = {"percent": 100.0, "minutes": 1 / 60, "seconds": 1.0, "count": 1.0, "score": 1.0}
DIGITS = {"percent": 0, "minutes": 1, "seconds": 1, "count": 0, "score": 2}
SIGNS = {"percent": " %", "minutes": " min", "seconds": " s", "count": "", "score": ""}


def shown(value: float | None, unit: str) -> str:
    """A value as text, with its unit; an en dash for one that is not there."""
    if value is None:
        return "–"
    sign = "+" if unit == "score" and value > 0 else ""
    return f"{sign}{scaled(value, unit):.{DIGITS[unit]}f}{SIGNS[unit]}".replace("-", "−")


def scaled(value: float, unit: str) -> float:
    """A value in the unit that it is shown in."""
    return value * SCALES[unit]
