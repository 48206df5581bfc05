"""`callscope config`."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.text import Text

from callscope.commands.console import new_table, stdout_console
from callscope.commands.options import CACHE, CALL, LOG, SERVER, with_settings
from callscope.settings import PREFIX, Loaded, Settings


@with_settings(*SERVER, *CALL, *CACHE, *LOG)
def config(loaded: Loaded, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Show every setting and where it is from.

    Its name, its value in effect, where the value comes from, and what it means.
    """
    values = loaded.settings.model_dump(mode="json")
    if as_json:
        shown = {name: {"value": values[name], "source": loaded.sources[name]} for name in values}
        typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    table = new_table("Setting", "Value", "From", "Meaning")
    for name, field in Settings.model_fields.items():
        value = "" if values[name] is None else str(values[name])
        table.add_row(name, Text(value), Text(loaded.sources[name]), Text(field.description or ""))
    stdout_console().print(table)
    typer.echo(f"A setting is also the flag --name-with-dashes and the environment variable {PREFIX}NAME.")
