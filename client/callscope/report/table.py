"""The call for a terminal: the conversation and the measures as tables."""

from __future__ import annotations

import io

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from callscope.analysis.measures import Party
from callscope.call import Call, Sentiment
from callscope.report.times import clock
from callscope.report.txt import speaker_labels

PLAIN_WIDTH = 120
_STYLES = {"negative": "red", "positive": "green", "neutral": "dim"}
_NOTHING = "-"


def write(call: Call) -> str:
    """Both tables as text without colour, 120 columns wide."""
    console = Console(file=io.StringIO(), width=PLAIN_WIDTH, color_system=None, record=True)
    console.print(render(call))
    return "\n".join(line.rstrip() for line in console.export_text().splitlines()) + "\n"


def render(call: Call) -> RenderableType:
    """Both tables, for any rich console."""
    return Group(heading(call), conversation(call), measures(call), footnote(call))


def heading(call: Call) -> Text:
    """The file, how long it is and in what language."""
    recording = call.recording
    language = recording.language or "no language"
    return Text(f"{recording.source}  {clock(recording.duration_s)}  {language}", style="bold")


def conversation(call: Call) -> RenderableType:
    """Time, speaker, text and sentiment, a row a segment."""
    if not call.segments:
        return Text("No speech.\n")
    labels = speaker_labels(call)
    table = Table("Time", "Speaker", "Text", "Sentiment", box=SIMPLE_HEAD, pad_edge=False)
    table.columns[0].justify = "right"
    table.columns[2].ratio = 1
    for segment in call.segments:
        table.add_row(clock(segment.start_s), labels[segment.speaker], Text(segment.text), _feeling(segment.sentiment))
    return table


def measures(call: Call) -> Table:
    """A column for each speaker, a row for each measure, then the measures of the call as a whole."""
    labels = speaker_labels(call)
    metrics = call.metrics
    table = Table("Measure", *labels.values(), "Call", box=SIMPLE_HEAD, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    columns = [_party_cells(metrics.speakers[speaker]) for speaker in labels]
    for place, (name, whole) in enumerate(_call_cells(call).items()):
        table.add_row(name, *(cells[place] for cells in columns), whole)
    return table


def footnote(call: Call) -> Text:
    """What was slow, and what fell back."""
    processing = call.processing
    rtf = _NOTHING if processing.rtf is None else f"{processing.rtf:.3f}"
    note = f"Took {processing.wall_seconds:.1f} s, real-time factor {rtf}."
    if processing.degraded:
        note += f" Fell back: {', '.join(processing.degraded)}."
    return Text(note)


def _party_cells(party: Party) -> tuple[str, ...]:
    monologue = party.longest_monologue
    mood = party.sentiment
    return (
        _seconds(party.talk_time_s),
        _percent(party.share_of_speech),
        _number(party.words_per_minute, 0),
        _number(party.characters_per_minute, 0),
        str(party.turns),
        _seconds(monologue.duration_s if monologue else None),
        _number(party.questions, 0),
        str(party.interruptions),
        _number(mood.mean if mood else None, 2, sign="+"),
        _number(mood.trend if mood else None, 2, sign="+"),
        *[""] * 4,
    )


def _call_cells(call: Call) -> dict[str, str]:
    metrics = call.metrics
    latency = metrics.response_latency
    return {
        "talk time": _seconds(metrics.speech_s),
        "share of speech": "",
        "words a minute": "",
        "characters a minute": "",
        "turns": str(metrics.turns),
        "longest monologue": "",
        "questions": "",
        "interruptions": str(metrics.interruptions.count),
        "sentiment": "",
        "sentiment trend": "",
        f"non-talk over {metrics.non_talk.threshold_s:g} s": _seconds(metrics.non_talk.total_s),
        "overlap": _seconds(metrics.overlap.total_s),
        "agent's response, median": _seconds(latency.median_s if latency else None),
        "customer / agent talk": _number(metrics.task_ratio, 2),
    }


def _feeling(sentiment: Sentiment | None) -> Text:
    if sentiment is None:
        return Text(_NOTHING)
    return Text(f"{sentiment.label} {sentiment.score:+.2f}", style=_STYLES.get(sentiment.label, ""))


def _seconds(value_s: float | None) -> str:
    return _NOTHING if value_s is None else f"{value_s:.1f} s"


def _percent(ratio: float | None) -> str:
    return _NOTHING if ratio is None else f"{100 * ratio:.0f} %"


def _number(value: float | None, digits: int, *, sign: str = "") -> str:
    return _NOTHING if value is None else f"{round(value, digits) + 0.0:{sign}.{digits}f}"
