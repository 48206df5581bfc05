"""`callscope errors`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from callscope.commands.console import new_table, stdout_console
from callscope.commands.db import opened_store
from callscope.commands.options import LOG_STYLE, with_settings
from callscope.error_classes import error_classes, remedies
from callscope.error_counts import count_errors, count_steps
from callscope.settings import Loaded
from callscope.store.query import Query

Rows = list[dict[str, Any]]

EXPLAINED = {
    "Error": "name",
    "Exit code": "exit_code",
    "What it means, what to do": "meaning",
    "Tried again by": "retried",
}
COUNTED = {
    "Error": "name",
    "Count": "count",
    "Calls": "calls",
    "First": "first",
    "Last": "last",
    "What to do": "remedy",
}
STORED = {"Step": "step", "Status": "status", "Calls": "calls", "Most often because": "reason"}
"""Heading -> field of a row."""


@with_settings("store", *LOG_STYLE)
def errors(
    loaded: Loaded,
    logs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="LOG", readable=False, help="Logs in JSON, or lists of what a batch set aside."),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Explain every error; or count those of logs, or with --store what is missing in stored results.

    Without LOG and --store: each error, its exit code, what it means and what to do.
    """
    if logs:
        rows, headings = _counted(logs), COUNTED
    elif loaded.sources["store"] == "flag":
        rows, headings = _stored(loaded), STORED
    else:
        rows = [asdict(one) for one in error_classes()]
        headings = EXPLAINED
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    elif rows:
        _show(rows, headings)
    else:
        typer.echo("No error.")


def _counted(logs: list[Path]) -> Rows:
    known = remedies()
    return [
        {
            "name": name,
            "count": one.count,
            "calls": len(one.calls),
            "first": one.first,
            "last": one.last,
            "remedy": known.get(name, ""),
        }
        for name, one in count_errors(logs).items()
    ]


def _stored(loaded: Loaded) -> Rows:
    with opened_store(loaded) as store:
        counted = count_steps(store.export(Query(degraded=True)))
    return [
        {"step": step, "status": status, "calls": one.count, "reason": one.reasons.most_common(1)[0][0]}
        for (step, status), one in counted.items()
    ]


def _show(rows: Rows, headings: dict[str, str]) -> None:
    """A table of these fields; what is to be done stands under what happened."""
    table = new_table(*headings)
    for row in rows:
        cells = [Text(str(row[field])) for field in headings.values()]
        if "meaning" in row:
            cells[list(headings.values()).index("meaning")].append(f"\n{row['remedy']}", style="bold")
        table.add_row(*cells)
    stdout_console().print(table)
