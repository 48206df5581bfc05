"""`callscope demo`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.rule import Rule
from rich.table import Table

from callscope.call import Call
from callscope.commands.console import new_table, stdout_console
from callscope.commands.options import LOG, REQUESTS, SERVER, with_settings
from callscope.commands.output import Format, plan_files, write_file
from callscope.commands.progress import show_progress, tell_fallbacks
from callscope.demo import AGENT_CHANNEL, DemoCall, demo_calls, score
from callscope.embedded import server_url
from callscope.pipeline import analyze
from callscope.report.table import render
from callscope.report.times import clock
from callscope.settings import Loaded, Settings
from callscope.triton.resilient import open_transport


@with_settings(*SERVER, *REQUESTS, *LOG)
def demo(
    loaded: Loaded,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FOLDER", help="Where the JSON results go.")
    ] = "callscope-demo/",
) -> None:
    """Analyse the bundled calls.

    They are English, Japanese and Korean. Shows the conversations, their measures, the errors against the scripts and
    the speed.
    """
    settings = loaded.settings.model_copy(update={"agent_channel": AGENT_CHANNEL})
    calls = demo_calls()
    plan = plan_files([call.audio for call in calls], output.rstrip("/") + "/", Format.JSON)
    with server_url(settings) as url:
        results = asyncio.run(_analyze(calls, url, settings))
    console = stdout_console()
    for call, result in zip(calls, results, strict=True):
        write_file(result, Format.JSON, plan[call.audio])
        console.print(Rule(call.title), render(result))
    console.print(_summary(calls, results))
    console.print(f"The full results are in {', '.join(map(str, plan.values()))}.", highlight=False, soft_wrap=True)


async def _analyze(calls: Sequence[DemoCall], url: str, settings: Settings) -> list[Call]:
    transport = open_transport(url, settings)
    try:
        results = []
        for call in calls:
            with show_progress(call.audio.name) as progress:
                results.append(await analyze(call.audio, transport, settings, progress=progress))
            tell_fallbacks(results[-1])
        return results
    finally:
        await transport.close()


def _summary(calls: Sequence[DemoCall], results: Sequence[Call]) -> Table:
    table = new_table("Call", "Language heard", "Length", "Errors", "Real-time factor")
    for call, result in zip(calls, results, strict=True):
        errors, rtf = score(result, call), result.processing.rtf
        table.add_row(
            call.audio.name,
            result.recording.language or "-",
            clock(result.recording.duration_s),
            "-" if errors.rate is None else f"{errors.unit} {errors.rate:.1%}",
            "-" if rtf is None else f"{rtf:.3f}",
        )
    return table
