"""The command line. Each verb is a file in `commands`; settings become flags in `commands/options.py`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from callscope import __version__
from callscope.commands.analyze import analyze, transcribe
from callscope.commands.batch import batch
from callscope.commands.cache import app as cache
from callscope.commands.config import config
from callscope.commands.db import app as db
from callscope.commands.demo import demo
from callscope.commands.doctor import doctor
from callscope.commands.errors import errors
from callscope.commands.export import app as export
from callscope.commands.guard import DEBUG_VARIABLE
from callscope.commands.models import models
from callscope.commands.preprocess import preprocess
from callscope.commands.profile import profile
from callscope.commands.report import report
from callscope.commands.serve import serve
from callscope.commands.tune import tune

EPILOG = (
    "Exit codes: 0 done, 1 a bug, 2 wrong usage or settings, 3 a file that cannot be read or written, "
    "4 a server that cannot be reached or started, 5 wrong models or repository, 6 something this machine lacks, "
    "130 Ctrl-C."
)

app = typer.Typer(
    name="callscope",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verb in (
    demo, analyze, transcribe, batch, report, preprocess, serve, tune, models, doctor, errors, profile, config,
):  # fmt: skip
    app.command()(verb)
app.add_typer(export, name="export")
app.add_typer(db, name="db")
app.add_typer(cache, name="cache")


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"callscope {__version__}")
        raise typer.Exit


@app.callback()
def program(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            readable=False,
            help="The settings file. [CALLSCOPE_CONFIG, or callscope.toml if it is in the working directory]",
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of whatever fails.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version."),
    ] = False,
) -> None:
    """Turn recorded calls into measured conversations. Speech recognition runs on NVIDIA Triton, here or elsewhere."""
    context.obj = config
    if debug:
        os.environ[DEBUG_VARIABLE] = "1"


def main() -> None:
    """Run the command line: the entry point of the `callscope` script."""
    app(prog_name="callscope")
