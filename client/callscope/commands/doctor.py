"""`callscope doctor`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from callscope.commands.console import new_table, stdout_console
from callscope.commands.options import LOG, SERVER, with_settings
from callscope.doctor import examine
from callscope.settings import Loaded

SOMETHING_LACKS = 6


@with_settings(*SERVER, *LOG)
def doctor(loaded: Loaded, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Check whether this machine can serve and analyse, and say how to mend what it lacks (then the exit code is 6)."""
    findings = examine(loaded.settings)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=2))
    else:
        table = new_table("Check", "", "Found", "What to do")
        for finding in findings:
            verdict = Text("ok", style="green") if finding.ok else Text("problem", style="red")
            table.add_row(Text(finding.name), verdict, Text(finding.detail), Text(finding.remedy))
        stdout_console().print(table)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(SOMETHING_LACKS)
