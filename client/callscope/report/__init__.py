"""A `Call` on paper: one writer a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from callscope.call import Call
from callscope.report import csv, html, json, rttm, srt, table, txt, vtt


class Writer(Protocol):
    """Turns a call into a document."""

    def __call__(self, call: Call) -> str:
        """Return the whole document, ended by a newline."""
        ...


WRITERS: Mapping[str, Writer] = {
    "json": json.write,
    "jsonl": json.write_line,
    "table": table.write,
    "txt": txt.write,
    "srt": srt.write,
    "vtt": vtt.write,
    "csv": csv.write,
    "rttm": rttm.write,
    "html": html.write,
}
SUFFIXES: Mapping[str, str] = {name: ".txt" if name == "table" else f".{name}" for name in WRITERS}
