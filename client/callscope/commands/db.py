"""`callscope db`: the database of results, asked and looked after."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.text import Text

from callscope.cache.place import results_of
from callscope.commands.console import new_table, stdout_console
from callscope.commands.options import LOG, with_settings
from callscope.commands.output import writing
from callscope.errors import SettingsInvalid, StoreUnreachable
from callscope.report.csv import inert
from callscope.settings import Loaded, Settings
from callscope.store.engine import name_of, parse_url
from callscope.store.query import Query, as_row
from callscope.store.sql import Store, open_store, unprepared_store
from callscope.telemetry import say
from callscope.when import parse_time

app = typer.Typer(no_args_is_help=True, help="Ask and look after the database of results.", rich_markup_mode=None)

SHOWN = (
    "dated_at",
    "source",
    "duration",
    "language",
    "agent_share",
    "non_talk_share",
    "customer_sentiment",
    "degraded",
)

Since = Annotated[str | None, typer.Option(help="Calls of that date or later: 2026-01-31, or an age such as 7d.")]
Until = Annotated[str | None, typer.Option(help="Calls before that date.")]
Language = Annotated[str | None, typer.Option(help="Calls in that language: en, ja, ko.")]
Degraded = Annotated[
    bool | None, typer.Option("--degraded/--whole", help="Calls of which a step fell back, or none did.")
]
Said = Annotated[str | None, typer.Option("--text", help="Calls in which somebody says that.")]
By = Annotated[str | None, typer.Option("--role", help="Who says it: agent or customer.")]


MOST = 1 << 62
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*")


class Form(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


@app.command()
@with_settings("store", *LOG)
def upgrade(loaded: Loaded) -> None:
    """Bring the tables to this version's form, or make them."""
    store = unprepared_store(loaded.settings.store)
    say(f"The tables have revision {store.upgrade()}.")
    store.close()


@app.command()
@with_settings("store", *LOG)
def status(loaded: Loaded) -> None:
    """Show how many calls the database holds, and from when to when."""
    with opened_store(loaded) as store:
        for name, value in asdict(store.status()).items():
            typer.echo(f"{name:9} {value if value is not None else '-'}")


@app.command()
@with_settings("store", *LOG)
def query(  # noqa: PLR0917  each is a flag
    loaded: Loaded,
    since: Since = None,
    until: Until = None,
    language: Language = None,
    degraded: Degraded = None,
    text: Said = None,
    role: By = None,
    above: Annotated[
        list[str] | None, typer.Option(metavar="FIGURE=VALUE", help="Calls with at least that figure.")
    ] = None,
    below: Annotated[
        list[str] | None, typer.Option(metavar="FIGURE=VALUE", help="Calls with at most that figure.")
    ] = None,
    order: Annotated[
        str, typer.Option(help="A figure or dated_at; with - before it, the greatest first.")
    ] = "-dated_at",
    limit: Annotated[int, typer.Option(min=1, help="How many calls at most.")] = 100,
    form: Annotated[Form, typer.Option("--format", help="How the answer is written.")] = Form.TABLE,
) -> None:
    """Find calls by date, language, figures and what was said.

    With --text, the segments that hold it are listed; case and width do not count, and a part of a word is enough.
    """
    asked = Query(
        since=parse_time(since) if since else None,
        until=parse_time(until) if until else None,
        language=language,
        degraded=degraded,
        text=text,
        role=role,
        above=_limits(above),
        below=_limits(below),
        order=order,
        limit=limit,
    )
    with opened_store(loaded) as store:
        if text:
            _show([asdict(hit) for hit in store.search(asked)], ("source", "start_s", "role", "text"), form)
        else:
            _show([as_row(found) for found in store.find(asked)], SHOWN, form)


@app.command()
@with_settings("store", *LOG)
def export(  # noqa: PLR0917  each is a flag
    loaded: Loaded,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file; stdout without it.")] = None,
    since: Since = None,
    until: Until = None,
    language: Language = None,
    degraded: Degraded = None,
) -> None:
    """Write whole results as JSON Lines, a line a call, oldest first."""
    asked = Query(
        since=parse_time(since) if since else None,
        until=parse_time(until) if until else None,
        language=language,
        degraded=degraded,
    )
    with opened_store(loaded) as store, _file(output) as file:
        for result in store.export(asked):
            file.write(json.dumps(result, ensure_ascii=False) + "\n")


@app.command()
@with_settings("store", "cache", *LOG)
def purge(
    loaded: Loaded,
    older_than: Annotated[str, typer.Option(help="An age such as 90d, or a date.")],
) -> None:
    """Throw away calls of before a time, with all that was said in them, from the cache too. There is no way back."""
    before = parse_time(older_than)
    with opened_store(loaded) as store:
        recordings = [found.sha256 for found in store.find(Query(until=before, limit=MOST))]
        count = store.purge(before)
        say(f"{count} calls of before {before:%Y-%m-%d %H:%M} UTC are gone.")
    _forget(loaded.settings, recordings)


def _forget(settings: Settings, recordings: Sequence[str]) -> None:
    """What is thrown away is not kept to be used again either."""
    results = results_of(settings)
    if results.file.exists():
        results.forget_recordings(recordings)
        results.close()


@contextmanager
def opened_store(loaded: Loaded) -> Iterator[Store]:
    """The store of the settings, which has to be there."""
    _require_there(loaded.settings.store)
    store = open_store(loaded.settings.store)
    try:
        yield store
    finally:
        store.close()


def _require_there(address: str) -> None:
    """A file that is misspelled is not made by asking it."""
    url = parse_url(address)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        raise StoreUnreachable(
            name_of(url), "there is no such file; `callscope batch` and `callscope db upgrade` make one"
        )


@contextmanager
def _file(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    with writing(output), output.open("w", encoding="utf-8") as file:
        yield file


def _limits(given: Sequence[str] | None) -> tuple[tuple[str, float], ...]:
    return tuple(_limit(text) for text in given or ())


def _limit(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise SettingsInvalid(f"{text!r} is no limit of a figure. Write FIGURE=VALUE, as non_talk_share=0.3.") from None


def _show(rows: Sequence[Mapping[str, Any]], shown: Sequence[str], form: Form) -> None:
    if form is Form.JSON:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2, default=str))
    elif form is Form.CSV:
        written = csv.writer(sys.stdout)
        written.writerow(rows[0] if rows else shown)
        written.writerows([inert(value) for value in row.values()] for row in rows)
    else:
        table = new_table(*(name.removesuffix("_s") for name in shown))
        for row in rows:
            table.add_row(*(Text(_short(row[name])) for name in shown))
        stdout_console().print(table if rows else "No calls.")


def _short(value: object) -> str:
    """For a table: three digits, and times to the minute."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3g}"
    return value[:16] if isinstance(value, str) and TIME.fullmatch(value) else str(value)
