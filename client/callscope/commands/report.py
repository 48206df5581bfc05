"""`callscope report`: one page over many results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from callscope.commands.db import opened_store
from callscope.commands.guard import report as tell
from callscope.commands.options import LOG, with_settings
from callscope.commands.output import writing
from callscope.errors import SettingsInvalid
from callscope.report.overview.brief import Brief, brief_from
from callscope.report.overview.gathering import ResultInvalid, gathered, newest
from callscope.settings import Loaded
from callscope.store.query import Query
from callscope.telemetry import say
from callscope.when import parse_time

SUFFIXES = frozenset({".json", ".jsonl"})


class Language(StrEnum):
    """What the page is written in."""

    EN = "en"
    JA = "ja"
    KO = "ko"


Results = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="RESULT",
        help="Results of `callscope analyze`, .json or .jsonl, or folders of them; without any, the store's calls.",
    ),
]


@with_settings("store", *LOG)
def report(  # noqa: PLR0917  each is a flag
    loaded: Loaded,
    results: Results = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The HTML file.")] = Path("report.html"),
    title: Annotated[str, typer.Option(help="The page's heading.")] = "",
    since: Annotated[
        str | None, typer.Option(help="Calls of that date or later: 2026-01-31, or an age such as 7d.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Calls before that date.")] = None,
    language: Annotated[Language | None, typer.Option(help="The page's language. [that of most calls]")] = None,
) -> None:
    """Make one page of many results: distributions, trends, calls that stand apart, a table.

    Without files, the results of the store (--store) are read. The page is one file that needs no network. A call's own
    page, NAME.html beside NAME.json, is linked. What is no result is reported, the others still count, and the exit
    code is 3. Of several results of a recording the last made counts.
    """
    first = parse_time(since) if since else None
    last = parse_time(until) if until else None
    faults: list[ResultInvalid] = []
    if results:
        found, faults = _told(_files(results), output.parent)
        within = [brief for brief in found if _is_within(brief, first, last)]
    else:
        within = _stored(loaded, Query(since=first, until=last))
    briefs = newest(within)
    if len(briefs) < len(within):
        say(f"Results left out, since there is a newer one of the same recording: {len(within) - len(briefs)}.")
    if briefs:
        from callscope.report.overview.page import render  # noqa: PLC0415  the other verbs need no templates

        with writing(output):
            output.write_text(render(briefs, title=title, language=language), encoding="utf-8")
        say(f"{output}: {len(briefs)} calls")
    elif not faults:
        raise SettingsInvalid("There are no calls that --since and --until leave. Name other dates, or other results.")
    if faults:
        raise typer.Exit(faults[0].exit_code)


def _stored(loaded: Loaded, query: Query) -> list[Brief]:
    """The store's calls; it keeps results of this schema alone."""
    with opened_store(loaded) as store:
        return [brief_from(result) for result in store.export(query)]


def _told(files: Sequence[Path], beside: Path) -> tuple[list[Brief], list[ResultInvalid]]:
    """The calls, and what is no result, which is told as soon as it is met."""
    briefs: list[Brief] = []
    faults: list[ResultInvalid] = []
    for one in gathered(files, beside):
        if isinstance(one, Brief):
            briefs.append(one)
        else:
            tell(one)
            faults.append(one)
    return briefs, faults


def _files(results: Iterable[Path]) -> list[Path]:
    """The files, and those of folders in the order of their names."""
    found: list[Path] = []
    for place in results:
        if not place.is_dir():
            found.append(place)
            continue
        inside = sorted(file for file in place.rglob("*") if file.suffix in SUFFIXES and file.is_file())
        if not inside:
            raise SettingsInvalid(f"There is no .json or .jsonl in {place}. Name a folder of results.")
        found += inside
    return list(dict.fromkeys(found))


def _is_within(brief: Brief, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or brief.date >= since) and (until is None or brief.date < until)
