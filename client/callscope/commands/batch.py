"""`callscope batch`: many recordings into the database of results."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from callscope.batch.pace import CALLS_A_CORE, Pace, most_calls
from callscope.batch.ray_engine import Cluster, run_on_ray
from callscope.batch.ray_worker import Orders
from callscope.batch.run import run_batch
from callscope.batch.sources import Item, find_items
from callscope.batch.tally import Tally, write_aside
from callscope.batch.work import Worker
from callscope.cache.analysis import open_cache
from callscope.cache.place import open_results
from callscope.commands.options import CACHE, CALL, LOG, SERVER, WATCH, NoCache, with_settings, without_cache
from callscope.commands.output import writing
from callscope.embedded import server_url
from callscope.errors import SettingsInvalid
from callscope.settings import Loaded, Settings
from callscope.store.claims import open_claims
from callscope.store.query import Query
from callscope.store.sql import Store, open_store
from callscope.telemetry import STDERR, say
from callscope.telemetry.exposition import write_textfile
from callscope.triton.resilient import open_transport
from callscope.triton.retrying import Policy

SET_ASIDE = 3


class Engine(StrEnum):
    """Who works on the recordings."""

    LOCAL = "local"
    RAY = "ray"


@with_settings("store", *SERVER, "patience_s", *CALL, *CACHE, *LOG, *WATCH)
def batch(
    loaded: Loaded,
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE",
            help="Recordings, folders, patterns, the same in buckets (s3://…), or lists: .csv or .jsonl with a column "
            "`path`, the others metadata.",
        ),
    ],
    *,
    at_once: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=256,
            help="The most recordings worked on at a time; with Ray, by each worker. [two a processor core]",
        ),
    ] = None,
    engine: Annotated[
        Engine, typer.Option(help="local: in this process. ray: by workers of Ray (the extra `ray`).")
    ] = Engine.LOCAL,
    ray_address: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="A cluster of Ray that runs: auto, or HOST:PORT. [one is started]"),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=4096, help="Processes of Ray that work. [one a processor core]")
    ] = None,
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
    cluster = _cluster(engine, ray_address, workers, settings)
    if redo not in {None, "degraded"}:
        raise SettingsInvalid(f"--redo takes `degraded`, and not {redo!r}.")
    store, tally = open_store(settings.store), Tally()
    try:
        again = _degraded(store) if redo else frozenset()
        if not redo:
            items = _unseen(items, store, tally)
        with server_url(settings) as url:
            if cluster:
                orders = Orders(url, settings, str(Path.cwd()), at_once or CALLS_A_CORE, again)
                with _progress(tally.count + len(items)) as told:
                    run_on_ray(items, orders, cluster, tally=tally, told=told)
            else:
                most = at_once or most_calls()
                asyncio.run(_run(items, url, store, settings, tally=tally, most=most, redo=again))
    finally:
        store.close()
        with writing(aside, "--aside"):
            write_aside(tally, aside)
        _tell(tally, aside)
        if metrics_textfile:
            write_textfile(metrics_textfile)
    if tally.aside:
        raise typer.Exit(SET_ASIDE)


def _cluster(engine: Engine, address: str | None, workers: int | None, settings: Settings) -> Cluster | None:
    """Where the workers of Ray are to be; None for the local engine."""
    if engine is Engine.LOCAL:
        if address or workers:
            raise SettingsInvalid("--ray-address and --workers are for --engine ray. Add it, or leave them out.")
        return None
    if address and not settings.server:
        raise SettingsInvalid("The workers of a cluster need a Triton that they all reach. Name it with --server.")
    return Cluster(address, workers or len(os.sched_getaffinity(0)))


async def _run(
    items: list[Item], url: str, store: Store, settings: Settings, *, tally: Tally, most: int, redo: frozenset[str]
) -> None:
    transport = open_transport(url, settings, Policy.for_batches(settings.patience_s))
    claims, pace = open_claims(settings.store), Pace(most)
    results = open_results(settings, by_default=True)
    try:
        async with open_cache(results, url, settings) as cache:
            worker = Worker(transport, store, claims, settings, pace=pace, redo=redo, cache=cache)
            with _progress(tally.count + len(items)) as told:
                await run_batch(items, worker, pace, tally=tally, told=told)
    finally:
        claims.close()
        await transport.close()


@contextmanager
def _progress(total: int) -> Iterator[Callable[[Tally], None]]:
    """A bar on a terminal; call what it gives after each recording."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, *times, console=STDERR, transient=True, disable=not STDERR.is_terminal) as bar:
        task = bar.add_task("Recordings", total=total)
        yield lambda tally: bar.update(task, completed=tally.count)


def _unseen(items: list[Item], store: Store, tally: Tally) -> list[Item]:
    """Recordings without those that a bucket lists as they were when they were fetched; they are counted as known."""
    seen = store.versions() if any(item.version for item in items) else {}
    left = [item for item in items if not item.version or seen.get(item.name) != item.version]
    tally.known += len(items) - len(left)
    return left


def _degraded(store: Store) -> frozenset[str]:
    return frozenset(found.sha256 for found in store.find(Query(degraded=True, limit=1_000_000)))


def _tell(tally: Tally, aside: Path) -> None:
    cached = f"{tally.cached} from the cache, " if tally.cached else ""
    analysed = tally.done - tally.cached
    say(f"{analysed} analysed, {cached}{tally.known} had a result, {len(tally.aside)} set aside.")
    if tally.aside:
        say(f"{aside} says why. Mend or remove those recordings, and run the same command again.")
