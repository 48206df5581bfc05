"""`callscope report`: one page over many results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from callscope.commands.guard import report as tell
from callscope.commands.options import LOG, with_settings
from callscope.commands.output import writing
from callscope.errors import SettingsInvalid
from callscope.report.overview.brief import Brief, ResultInvalid, read_briefs
from callscope.settings import Loaded
from callscope.telemetry import say
from callscope.when import parse_time

SUFFIXES = frozenset({".json", ".jsonl"})
MANY = 200
"""Files from which on several processes read them."""


class Language(StrEnum):
    """What the page is written in."""

    EN = "en"
    JA = "ja"
    KO = "ko"


Results = Annotated[
    list[Path],
    typer.Argument(metavar="RESULT", help="Results of `callscope analyze`, .json or .jsonl, or folders of them."),
]


@with_settings(*LOG)
def report(  # noqa: PLR0917  each is a flag
    loaded: Loaded,
    results: Results,
    output: Annotated[Path, typer.Option("--output", "-o", help="The HTML file.")] = Path("report.html"),
    title: Annotated[str, typer.Option(help="The page's heading.")] = "",
    since: Annotated[
        str | None, typer.Option(help="Calls of that date or later: 2026-01-31, or an age such as 7d.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Calls before that date.")] = None,
    language: Annotated[Language | None, typer.Option(help="The page's language. [that of most calls]")] = None,
) -> None:
    """Make one page of many results: distributions, trends, calls that stand apart, a table.

    The page is one file that needs no network. A call's own page, NAME.html beside NAME.json, is linked. A file that is
    no result is reported, the others still count, and the exit code is that of the first failure.
    """
    first = parse_time(since) if since else None
    last = parse_time(until) if until else None
    files = _files(results)
    codes: list[int] = []
    briefs = [brief for brief in _read(files, output.parent, codes) if _is_within(brief, first, last)]
    if briefs:
        from callscope.report.overview.page import render  # noqa: PLC0415  the other verbs need no templates

        briefs.sort(key=lambda brief: brief.date)
        with writing(output):
            output.write_text(render(briefs, title=title, language=language), encoding="utf-8")
        say(f"{output}: {len(briefs)} calls")
    elif not codes:
        raise SettingsInvalid(f"There are no calls in {len(files)} files that --since and --until leave. Name others.")
    if codes:
        raise typer.Exit(codes[0])


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


def _read(files: Sequence[Path], beside: Path, codes: list[int]) -> Iterator[Brief]:
    read = partial(read_all, beside=beside)
    if len(files) < MANY:
        answers = map(read, files)
        yield from _told(answers, codes)
        return
    with ProcessPoolExecutor() as processes:
        yield from _told(processes.map(read, files, chunksize=32), codes)


def read_all(file: Path, beside: Path) -> list[Brief] | ResultInvalid:
    """The calls of a file, or what is wrong with it; run in a process of its own."""
    try:
        return list(read_briefs(file, beside))
    except ResultInvalid as error:
        return error


def _told(answers: Iterable[list[Brief] | ResultInvalid], codes: list[int]) -> Iterator[Brief]:
    for answer in answers:
        if isinstance(answer, ResultInvalid):
            codes.append(tell(answer))
        else:
            yield from answer


def _is_within(brief: Brief, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or brief.date >= since) and (until is None or brief.date < until)
