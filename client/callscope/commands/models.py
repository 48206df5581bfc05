"""`callscope models`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from callscope.commands.console import new_table, stdout_console
from callscope.commands.options import LOG, SERVER, with_settings
from callscope.embedded import server_url
from callscope.served import ModelDescription, describe
from callscope.settings import Loaded

HEADINGS = ("Server", "Model", "Version", "Kind", "State", "Precision", "Source", "Inputs", "Runs", "Mean ms")
EXPENDABLE = ("Version", "Kind", "Source")
UNBOUNDED = 10_000


@with_settings(*SERVER, *LOG)
def models(loaded: Loaded, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Show what a server serves, or several.

    Each model's kind, version, state, precision and source, and its work so far: inputs, runs (fewer where Triton
    batched inputs) and the mean time of a request. A narrow terminal gets fewer columns.

    Without --server, Callscope starts a Triton of its own to ask it.
    """
    with server_url(loaded.settings) as url:
        found = asyncio.run(describe(url, loaded.settings))
    if as_json:
        typer.echo(json.dumps([asdict(model) for model in found], ensure_ascii=False, indent=2))
    else:
        console = stdout_console()
        console.print(_fitting_table(found, console))


def _fitting_table(models: Sequence[ModelDescription], console: Console) -> Table:
    """The table with as many columns as the console has room for."""
    rows = [_cells(model) for model in models]
    alike = ("Server",) if len({model.server for model in models}) == 1 else ()
    tables = (_table(rows, without=(*alike, *EXPENDABLE[:count])) for count in range(len(EXPENDABLE) + 1))
    unbounded = console.options.update_width(UNBOUNDED)
    fitting = (table for table in tables if Measurement.get(console, unbounded, table).maximum <= console.width)
    return next(fitting, _table(rows, without=(*alike, *EXPENDABLE)))


def _table(rows: Sequence[Mapping[str, str]], *, without: Sequence[str]) -> Table:
    names = [name for name in HEADINGS if name not in without]
    table = new_table(*names)
    for column in table.columns[-3:]:
        column.justify = "right"
    for row in rows:
        table.add_row(*(Text(row[name]) for name in names))
    return table


def _cells(model: ModelDescription) -> dict[str, str]:
    mean_ms = None if model.mean_ms is None else f"{model.mean_ms:.1f}"
    named = (model.server, model.name, model.version, model.kind, model.state, model.precision, model.source)
    cells = (*named, model.inferences, model.executions, mean_ms)
    return {name: "" if cell is None else str(cell) for name, cell in zip(HEADINGS, cells, strict=True)}
