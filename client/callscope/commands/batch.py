"""`callscope batch`: many recordings into the database of results."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from callscope.batch.run import Tally, run_batch, write_aside
from callscope.batch.sources import Item, find_items
from callscope.cache.analysis import open_cache
from callscope.cache.place import open_results
from callscope.commands.options import CACHE, CALL, LOG, SERVER, WATCH, NoCache, with_settings, without_cache
from callscope.commands.output import writing
from callscope.embedded import server_url
from callscope.errors import SettingsInvalid
from callscope.settings import Loaded, Settings
from callscope.store.query import Query
from callscope.store.sql import Store, open_store
from callscope.telemetry import STDERR, say
from callscope.telemetry.exposition import write_textfile
from callscope.triton.resilient import open_transport

SET_ASIDE = 3


@with_settings("store", *SERVER, *CALL, *CACHE, *LOG, *WATCH)
def batch(
    loaded: Loaded,
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE",
            help="Recordings, folders, patterns, or lists: .csv or .jsonl with a column `path`, the others metadata.",
        ),
    ],
    *,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="Recordings that are worked on at a time.")] = 2,
    aside: Annotated[
        Path, typer.Option(help="Where recordings that cannot be read are listed, with the reason.")
    ] = Path("callscope-aside.jsonl"),
    redo: Annotated[str | None, typer.Option(help="`degraded`: analyse again what fell back the last time.")] = None,
    no_cache: NoCache = False,
    metrics_textfile: Annotated[
        Path | None, typer.Option(help="Write the metrics here at the end, for node_exporter's textfile collector.")
    ] = None,
) -> None:
    """Analyse many recordings and store the results; run again, it goes on where it was.

    A recording is known by its content and has one result. A server or database that goes away is waited for. What
    cannot be read is listed in --aside, and the exit code is 3; the others are done.
    """
    settings = without_cache(loaded.settings, no_cache)
    items = find_items(sources)
    if redo not in {None, "degraded"}:
        raise SettingsInvalid(f"--redo takes `degraded`, and not {redo!r}.")
    store, tally = open_store(settings.store), Tally()
    try:
        again = _degraded(store) if redo else frozenset()
        with server_url(settings) as url:
            asyncio.run(_run(items, url, store, settings, tally=tally, at_once=at_once, redo=again))
    finally:
        store.close()
        with writing(aside, "--aside"):
            write_aside(tally, aside)
        _tell(tally, aside)
        if metrics_textfile:
            write_textfile(metrics_textfile)
    if tally.aside:
        raise typer.Exit(SET_ASIDE)


async def _run(
    items: list[Item], url: str, store: Store, settings: Settings, *, tally: Tally, at_once: int, redo: frozenset[str]
) -> None:
    transport = open_transport(url, settings)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    bar = Progress(*columns, *times, console=STDERR, transient=True, disable=not STDERR.is_terminal)
    try:
        results = open_results(settings, by_default=True)
        async with open_cache(results, url, settings) as cache:
            with bar:
                task = bar.add_task("Recordings", total=len(items))
                await run_batch(
                    items,
                    transport,
                    store,
                    settings,
                    at_once=at_once,
                    tally=tally,
                    redo=redo,
                    cache=cache,
                    told=lambda tally: bar.update(task, completed=tally.done + tally.known + len(tally.aside)),
                )
    finally:
        await transport.close()


def _degraded(store: Store) -> frozenset[str]:
    return frozenset(found.sha256 for found in store.find(Query(degraded=True, limit=1_000_000)))


def _tell(tally: Tally, aside: Path) -> None:
    cached = f"{tally.cached} from the cache, " if tally.cached else ""
    analysed = tally.done - tally.cached
    say(f"{analysed} analysed, {cached}{tally.known} had a result, {len(tally.aside)} set aside.")
    if tally.aside:
        say(f"{aside} says why. Mend or remove those recordings, and run the same command again.")
