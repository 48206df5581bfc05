"""The figures that the page shows: how each is written, and in which order."""

from __future__ import annotations

from dataclasses import dataclass

from callscope.report.html.phrases import Phrase, phrase


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of `Brief.figures`.

    Attributes:
        name: its key.
        text: the key of what it is called.
        unit: "percent" (of a ratio), "minutes" or "seconds" (of seconds), "count" or "score".
        least: a standard deviation of the calls below which none of them stands apart.
        by_language: whether calls of different languages cannot be compared in it.
        trend: whether its course over the days is shown.
        whole: whether it counts something.
    """

    name: str
    text: str
    unit: str
    least: float
    by_language: bool = False
    trend: bool = False
    whole: bool = False


FIGURES = (
    Figure("duration", "overview.duration", "minutes", 15.0),
    Figure("agent_share", "overview.agent_share", "percent", 0.03, trend=True),
    Figure("non_talk_share", "measure.non_talk", "percent", 0.03, trend=True),
    Figure("latency", "measure.response_median", "seconds", 0.2, trend=True),
    Figure("interruptions", "measure.interruptions", "count", 1.0, whole=True),
    Figure("customer_sentiment", "overview.customer_sentiment", "score", 0.05, trend=True),
    Figure("customer_trend", "overview.customer_trend", "score", 0.05),
    Figure("agent_sentiment", "overview.agent_sentiment", "score", 0.05),
    Figure("words_per_minute", "overview.words", "count", 5.0, by_language=True),
    Figure("characters_per_minute", "measure.characters_per_minute", "count", 10.0, by_language=True),
    Figure("honorific_ratio", "measure.honorific_ratio", "percent", 0.05, trend=True),
    Figure("euphonious_word_ratio", "measure.euphonious_word_ratio", "percent", 0.05),
    Figure("empathy_ratio", "measure.empathy_ratio", "percent", 0.05, trend=True),
    Figure("apology_ratio", "measure.apology_ratio", "percent", 0.05),
    Figure("positive_word_ratio", "measure.positive_word_ratio", "percent", 0.05),
    Figure("negative_word_ratio", "measure.negative_word_ratio", "percent", 0.05),
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
WRITTEN = {
    "percent": "unit.percent",
    "minutes": "overview.minutes",
    "seconds": "unit.seconds",
    "count": "unit.number",
    "score": "unit.number",
}
"""The text that a value stands in."""


def shown(value: float | None, unit: str) -> Phrase:
    """A value of `Brief.figures` with its unit; an en dash for one that is not there."""
    if value is None:
        return phrase("unit.number", value="–")
    sign = "+" if unit == "score" and value > 0 else ""
    return phrase(WRITTEN[unit], value=f"{sign}{scaled(value, unit):.{DIGITS[unit]}f}".replace("-", "−"))


def edge(value: float, unit: str) -> Phrase:
    """A round number that is in the unit already, with its unit and no more digits than it has."""
    return phrase(WRITTEN[unit], value=f"{round(value, 6):g}".replace("-", "−"))


def scaled(value: float, unit: str) -> float:
    """A value in the unit that it is shown in."""
    return value * SCALES[unit]
