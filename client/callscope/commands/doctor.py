"""`callscope doctor`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from callscope.commands.console import new_table, stdout_console
from callscope.commands.options import LOG, PLACES, with_settings
from callscope.doctor import examine
from callscope.settings import Loaded
from callscope_server.findings import Finding

SOMETHING_LACKS = 6


def _verdict(finding: Finding) -> Text:
    if not finding.ok:
        return Text("problem", style="red")
    return Text("advice", style="yellow") if finding.remedy else Text("ok", style="green")


@with_settings(*PLACES, *LOG)
def doctor(loaded: Loaded, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Check this machine, and say how to mend it.

    Changes nothing. The exit code is 6 if it lacks something that serving or analysing needs.
    """
    findings = examine(loaded.settings)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=2))
    else:
        table = new_table("Check", "", "Found")
        for finding in findings:
            verdict = _verdict(finding)
            remedy = f"\n{finding.remedy}" if finding.remedy else ""
            table.add_row(Text(finding.name), verdict, Text(finding.detail).append(remedy, style="bold"))
        stdout_console().print(table)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(SOMETHING_LACKS)
