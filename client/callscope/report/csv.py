"""The conversation as a table for spreadsheets, a row a segment."""

from __future__ import annotations

import csv
import io

from callscope.call import Call, Segment
from callscope.report.times import floor_ms
from callscope.report.txt import speaker_labels

COLUMNS = (
    "call", "segment", "start", "end", "speaker", "role", "channel", "language", "text", "sentiment", "sentiment_score",
    "confidence", "overlap", "interruption", "doubts",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")
BYTE_ORDER_MARK = "\ufeff"


def write(call: Call) -> str:
    """Rows under a heading, in UTF-8 with the mark by which Excel knows it.

    What begins as a formula begins with an apostrophe here, so that a spreadsheet shows it and does not run it
    (OWASP, "CSV Injection").
    """
    roles = {speaker.id: speaker.role for speaker in call.speakers}
    labels = speaker_labels(call)
    sheet = io.StringIO(newline="")
    rows = csv.writer(sheet)
    rows.writerow(COLUMNS)
    for segment in call.segments:
        row = (call.recording.source, *_row(segment, labels[segment.speaker], roles[segment.speaker]))
        rows.writerow([inert(value) for value in row])
    return BYTE_ORDER_MARK + sheet.getvalue()


def _row(segment: Segment, label: str, role: str) -> tuple[object, ...]:
    return (
        segment.id,
        floor_ms(segment.start_s),
        floor_ms(segment.end_s),
        label,
        role,
        segment.channel,
        segment.language,
        " ".join(segment.text.split()),
        segment.sentiment.label if segment.sentiment else None,
        round(segment.sentiment.score, 3) if segment.sentiment else None,
        None if segment.confidence is None else round(segment.confidence, 3),
        _flag(segment.overlap),
        _flag(segment.interruption),
        " ".join(segment.doubts),
    )


def _flag(value: bool | None) -> str | None:
    return None if value is None else "yes" if value else "no"


def inert(value: object) -> object:
    """A value as it is, or with an apostrophe before it where a spreadsheet would run it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
