"""Tables (.csv, .tsv): a row a segment, under a heading that says which column is which."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from callscope.transcripts.document import Document
from callscope.transcripts.rows import cue_of, field_of, known
from callscope.transcripts.transcript import Cue, Transcript

DELIMITERS = ",;\t|"
NEEDED = "A heading names start, end (or duration) and text; speaker, role, channel and language are of use too"
INERT = tuple(f"'{begin}" for begin in "=+-@\t\r")
"""How a table protects spreadsheets from what looks like a formula (OWASP, "CSV Injection")."""


def read(document: Document) -> tuple[Transcript, ...]:
    """The rows of one call.

    Raises:
        TranscriptInvalid: the heading lacks a column, or a row a value; or the rows are of several calls.
    """
    rows = csv.reader(io.StringIO(document.text, newline=""), delimiter=_delimiter(document.text))
    try:
        heading = next(rows, [])
        _require_columns(heading, document)
        return (Transcript("csv", tuple(_cues(heading, _numbered(rows), document))),)
    except csv.Error as error:
        place = f"line {rows.line_num}"
        raise document.damaged(f"this is no table ({error}). Save it as CSV again", place) from error


def _numbered(rows: Iterator[Sequence[str]]) -> Iterator[tuple[int, Sequence[str]]]:
    """Each row that is not empty, and the line on which it ends."""
    for row in rows:
        if any(cell.strip() for cell in row):
            yield getattr(rows, "line_num", 0), row


def _cues(heading: Sequence[str], rows: Iterator[tuple[int, Sequence[str]]], document: Document) -> Iterator[Cue]:
    first: object = None
    for number, row in rows:
        if len(row) > len(heading):
            problem = f"this row has {len(row)} cells under {len(heading)} headings. Put quotes around its text"
            raise document.damaged(problem, f"line {number}")
        values = known(dict(zip(heading, map(_plain, row), strict=False)))
        first = values.get("call") if first is None else first
        if values.get("call") != first:
            raise document.damaged("another call begins here. Give each call a file of its own", f"line {number}")
        yield _cue(values, number, document)


def _cue(values: Mapping[str, object], number: int, document: Document) -> Cue:
    try:
        return cue_of(values)
    except ValueError as error:
        raise document.damaged(f"{error}. Correct that row", f"line {number}") from error


def _require_columns(heading: Sequence[str], document: Document) -> None:
    fields = {field_of(name) for name in heading}
    lacking = [name for name in ("start", "text") if not {name, f"{name}_ms"} & fields]
    if not {"end", "end_ms", "duration"} & fields:
        lacking.insert(1 if "start" in lacking else 0, "end")
    if lacking:
        what = " and no ".join(lacking)
        raise document.damaged(f"there is no {what} in the heading, and times are not made up. {NEEDED}", "line 1")


def _delimiter(text: str) -> str:
    """What divides the heading into the most columns that are known."""
    heading = text.split("\n", 1)[0]
    return max(DELIMITERS, key=lambda mark: sum(field_of(name.strip('"')) is not None for name in heading.split(mark)))


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith(INERT) else cell
