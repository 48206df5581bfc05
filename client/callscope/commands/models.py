"""`callscope models`."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from callscope.commands.console import new_table, stdout_console
from callscope.commands.options import LOG, SERVER, with_settings
from callscope.embedded import server_url
from callscope.served import ModelDescription, describe
from callscope.settings import Loaded


@with_settings(*SERVER, *LOG)
def models(loaded: Loaded, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Show what a server serves: each model's kind, version, state, precision and source, and its work so far.

    Without --server, Callscope starts a Triton of its own to ask it.
    """
    with server_url(loaded.settings) as url:
        found = asyncio.run(describe(url))
    if as_json:
        typer.echo(json.dumps([asdict(model) for model in found], ensure_ascii=False, indent=2))
    else:
        stdout_console().print(_table(found))


def _table(models: tuple[ModelDescription, ...]) -> Table:
    names = ("Model", "Version", "Kind", "State", "Precision", "Source", "Inferences", "Executions", "Mean ms")
    table = new_table(*names)
    for column in table.columns[-3:]:
        column.justify = "right"
    for model in models:
        mean_ms = None if model.mean_ms is None else f"{model.mean_ms:.1f}"
        cells = (model.name, model.version, model.kind, model.state, model.precision, model.source)
        counts = (model.inferences, model.executions, mean_ms)
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in (*cells, *counts)))
    return table
