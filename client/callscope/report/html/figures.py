"""The measures as rows of figures. What cannot be computed says so, with the reason, and is never 0."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from callscope.analysis.measures import Latency, Measures, Mood, Party
from callscope.call import Call
from callscope.report.html.people import Person
from callscope.report.html.phrases import Phrase, phrase
from callscope.report.times import clock

MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Figure:
    """A value, or why there is none. `at_s` is where in the call it can be heard."""

    value: Phrase | None
    reason: Phrase | None = None
    at_s: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One measure: `name` is its key in the texts, under `measure` and `about`."""

    name: str
    figures: tuple[Figure, ...]

    @property
    def lacks_all(self) -> bool:
        """Whether several figures are missing, all for the same reason, which then need be said only once."""
        return len(self.figures) > 1 and self.figures[0].value is None and len(set(self.figures)) == 1


def party_rows(call: Call, people: Sequence[Person]) -> tuple[Row, ...]:
    """A figure for each person."""
    scored = any(segment.sentiment for segment in call.segments)
    columns = [dict(_of_party(person.party, scored=scored)) for person in people]
    return tuple(Row(name, tuple(column[name] for column in columns)) for name in (columns[0] if columns else ()))


def call_rows(call: Call) -> tuple[Row, ...]:
    """One figure each, of the call as a whole."""
    return tuple(Row(name, (figure,)) for name, figure in _of_call(call.metrics))


def _of_party(party: Party, *, scored: bool) -> Iterator[tuple[str, Figure]]:
    longest = party.longest_monologue
    yield "talk_time", seconds(party.talk_time_s)
    yield "share_of_speech", percent(party.share_of_speech, "nobody_spoke")
    yield "share_of_call", percent(party.share_of_call, "no_length")
    yield "words_per_minute", number(party.words_per_minute, 0, _why_no_words(party))
    yield "characters_per_minute", number(party.characters_per_minute, 0, "said_nothing")
    yield "turns", number(party.turns, 0)
    yield (
        "longest_monologue",
        seconds(longest.duration_s, at_s=longest.start_s) if longest else _missing("said_nothing"),
    )
    yield "questions", number(party.questions, 0, "no_punctuation")
    yield "interruptions", number(party.interruptions, 0)
    yield from _of_mood(party.sentiment, "few_turns" if scored else "no_sentiment")


def _of_mood(mood: Mood | None, reason: str) -> Iterator[tuple[str, Figure]]:
    if mood is None:
        for name in ("sentiment", "trend", "change"):
            yield name, _missing(reason)
        return
    yield "sentiment", signed(mood.mean, reason)
    yield "trend", signed(mood.trend, "half_silent")
    yield "change", signed(mood.change, "quarter_silent")


def _of_call(metrics: Measures) -> Iterator[tuple[str, Figure]]:
    quiet, overlap = metrics.non_talk, metrics.overlap
    yield "speech", seconds(metrics.speech_s)
    yield "non_talk", _part(quiet.total_s, quiet.share_of_call, quiet.count)
    yield "longest_silence", seconds(quiet.longest_s, "no_silence")
    yield "overlap", _part(overlap.total_s, overlap.share_of_speech, overlap.count)
    yield "interruptions_in_all", number(metrics.interruptions.count, 0)
    yield "turns_in_all", number(metrics.turns, 0)
    yield from _latencies(metrics.response_latency)
    yield "task_ratio", number(metrics.task_ratio, 2, _why_no_task_ratio(metrics))


def _latencies(latency: Latency | None) -> Iterator[tuple[str, Figure]]:
    read: dict[str, Callable[[Latency], float | None]] = {
        "response_median": lambda latency: latency.median_s,
        "response_mean": lambda latency: latency.mean_s,
        "response_p95": lambda latency: latency.p95_s,
    }
    for name, value in read.items():
        yield name, seconds(value(latency), "no_answers") if latency else _missing("roles_unknown")


def seconds(value_s: float | None, reason: str = "unknown", *, at_s: float | None = None) -> Figure:
    """Seconds with a decimal; from a minute on as a clock shows them."""
    if value_s is None:
        return _missing(reason)
    if value_s >= MINUTE_S:
        return Figure(phrase("unit.clock", value=clock(value_s)), at_s=at_s)
    _, _, rest = clock(value_s).partition(":")
    return Figure(phrase("unit.seconds", value=rest.removeprefix("0")), at_s=at_s)


def percent(ratio: float | None, reason: str = "unknown") -> Figure:
    """A ratio of 0 to 1 in percent."""
    return _missing(reason) if ratio is None else Figure(phrase("unit.percent", value=f"{100 * ratio:.0f}"))


def number(value: float | None, digits: int, reason: str = "unknown") -> Figure:
    """A number rounded to `digits`."""
    return _missing(reason) if value is None else Figure(phrase("unit.number", value=f"{value:.{digits}f}"))


def signed(value: float | None, reason: str = "unknown") -> Figure:
    """A score of -1 to 1 with its sign; 0 has none."""
    return _missing(reason) if value is None else Figure(phrase("unit.number", value=score(value)))


def score(value: float) -> str:
    """+0.25, −0.25 (with a true minus) or 0.00."""
    text = f"{value:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", "−")


def _part(total_s: float, share: float | None, count: int) -> Figure:
    value = seconds(total_s).value
    if share is None or value is None:
        return Figure(value)
    return Figure(phrase("unit.part", value=value, share=f"{100 * share:.0f}", count=str(count)))


def _missing(reason: str) -> Figure:
    return Figure(None, phrase(f"reason.{reason}"))


def _why_no_words(party: Party) -> str:
    return "no_spaces" if party.words is None else "said_nothing"


def _why_no_task_ratio(metrics: Measures) -> str:
    roles = metrics.roles
    return "agent_silent" if roles.agent and roles.customer else "roles_unknown"
