"""Tables on stdout."""

from __future__ import annotations

import os

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from callscope.report.table import PLAIN_WIDTH


def stdout_console() -> Console:
    """As wide as the terminal; where stdout is none (a pipe, a file), wide enough for our tables."""
    console = Console()
    if console.is_terminal or "COLUMNS" in os.environ:
        return console
    return Console(width=PLAIN_WIDTH)


def new_table(*names: str) -> Table:
    """An empty table whose cells fold where they do not fit, so that nothing is cut off."""
    table = Table(*names, box=SIMPLE_HEAD, pad_edge=False)
    for column in table.columns:
        column.overflow = "fold"
    return table
