"""`callscope export`: the exporter's own command line, loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer

from callscope.commands.guard import guarded
from callscope.errors import ExtraMissing

EXPORTER = "callscope_export"


def export(context: typer.Context) -> None:
    """Export published weights to the model repository: whisper, punctuation, sentiment or all."""
    with guarded():
        _exporter()(context.args, prog_name="callscope export")


def _exporter() -> Any:  # noqa: ANN401  a command line object of another package
    try:
        return import_module(f"{EXPORTER}.cli").app
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(("callscope", EXPORTER)):
            raise
        raise ExtraMissing(f"`callscope export` ({error.name} is missing)", "export") from error
