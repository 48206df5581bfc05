"""A `Call` on paper: one writer a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from callscope.call import Call
from callscope.report import json, table, txt


class Writer(Protocol):
    """Turns a call into a document."""

    def __call__(self, call: Call) -> str:
        """Return the whole document, ended by a newline."""
        ...


WRITERS: Mapping[str, Writer] = {"json": json.write, "table": table.write, "txt": txt.write}
SUFFIXES: Mapping[str, str] = {"json": ".json", "table": ".txt", "txt": ".txt"}
