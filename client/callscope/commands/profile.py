"""`callscope profile`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from callscope.commands.console import new_table, stdout_console
from callscope.commands.options import CALL, LOG, SERVER, WATCH, with_settings
from callscope.commands.output import writing
from callscope.commands.progress import show_progress
from callscope.embedded import server_url
from callscope.profiling import Profile, profile_call
from callscope.settings import Loaded
from callscope.telemetry import say
from callscope.triton.statistics import ModelStatistics


@with_settings(*SERVER, *CALL, *LOG, *WATCH)
def profile(
    loaded: Loaded,
    file: Annotated[Path, typer.Argument(readable=False, help="A recorded call.")],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Also write the profile, for `python -m pstats` or snakeviz."
        ),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many functions are shown.")] = 15,
) -> None:
    """Analyse one call, and show what cost the time: steps, models, functions.

    The profiler makes Python slower, by more the smaller its functions are; shares say more than seconds.
    """
    with server_url(loaded.settings) as url, show_progress(file.name) as progress:
        found = asyncio.run(profile_call(file, url, loaded.settings, progress=progress))
    console = stdout_console()
    for table in (_steps(found), _models(found), _functions(found, top)):
        console.print(table)
    if output:
        with writing(output):
            found.stats.dump_stats(output)
        say(f"{output}: look at it with `python -m pstats {output}`.")


def _steps(found: Profile) -> Table:
    made = found.call.processing
    table = _figures("Step", "Seconds", "Share")
    for step in made.steps:
        table.add_row(step.name, f"{step.seconds:.3f}", _share(step.seconds, made.wall_seconds))
    rest_s = made.wall_seconds - sum(step.seconds for step in made.steps)
    table.add_row("between steps", f"{rest_s:.3f}", _share(rest_s, made.wall_seconds))
    table.add_row("all", f"{made.wall_seconds:.3f}", "100 %")
    return table


def _models(found: Profile) -> Table:
    table = _figures("Model", "Requests", "Mean batch", "Mean ms", "Queue", "Input", "Infer", "Output")
    for name, work in sorted(found.models.items(), key=lambda one: one[1].infer_s, reverse=True):
        table.add_row(name, *_work(work))
    return table


def _work(work: ModelStatistics) -> list[str]:
    batch = "" if work.mean_batch is None else f"{work.mean_batch:.1f}"
    parts = (work.queue_s, work.input_s, work.infer_s, work.output_s)
    shares = [_share(part, work.total_s) if work.executions else "" for part in parts]
    return [str(work.requests), batch, f"{1000 * work.total_s / work.requests:.1f}", *shares]


def _functions(found: Profile, count: int) -> Table:
    table = _figures("Function", "Calls", "Own s", "Total s")
    for one in found.functions(count):
        table.add_row(Text(one.name), str(one.calls), f"{one.own_s:.3f}", f"{one.total_s:.3f}")
    return table


def _figures(*names: str) -> Table:
    table = new_table(*names)
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f} %" if whole > 0 else ""
