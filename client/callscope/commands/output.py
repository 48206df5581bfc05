"""Where results go: stdout, a file, or a file for each call in a folder."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from itertools import count
from pathlib import Path

from callscope.call import Call
from callscope.commands.console import stdout_console
from callscope.errors import ResultUnwritable, SettingsInvalid
from callscope.report import SUFFIXES, WRITERS, html
from callscope.report.json import write_line
from callscope.report.table import render
from callscope_preprocessing.source import STANDARD_INPUT


class Format(StrEnum):
    """How a result is written."""

    JSON = "json"
    JSONL = "jsonl"
    TABLE = "table"
    TXT = "txt"
    SRT = "srt"
    VTT = "vtt"
    CSV = "csv"
    RTTM = "rttm"
    HTML = "html"


def print_call(call: Call, form: Format, *, of_many: bool, audio: str | None = None) -> None:
    """Write one call to stdout. Of many, JSON takes a line a call, and text has the file's name above it.

    `audio` is what a page's player plays.
    """
    if form is Format.TABLE:
        stdout_console().print(render(call))
    elif form is Format.JSON and of_many:
        sys.stdout.write(write_line(call))
    else:
        heading = f"==> {call.recording.source} <==\n" if of_many and form is Format.TXT else ""
        sys.stdout.write(heading + _document(call, form, audio))
    sys.stdout.flush()


def plan_files(sources: Sequence[Path], output: str, form: Format) -> Mapping[Path, Path]:
    """Which file each call is written to: `output` itself, or NAME.json in it if it is a folder, which is made.

    A folder is one that exists, or is written with a final slash, or takes several calls. Calls that share a name keep
    their suffix (`a.wav.json`), and get a number if they share that too.

    Raises:
        SettingsInvalid: several calls and `output` is a file.
        ResultUnwritable: the folder cannot be made.
    """
    place = Path(output)
    if not (place.is_dir() or output.endswith(os.sep) or len(sources) > 1):
        return {sources[0]: place}
    if place.exists() and not place.is_dir():
        raise SettingsInvalid(f"{place} is a file, which cannot hold {len(sources)} results. Name a folder.")
    with writing(place):
        place.mkdir(parents=True, exist_ok=True)
    names = _names(sources)
    return {source: place / f"{name}{SUFFIXES[form]}" for source, name in names.items()}


def write_file(call: Call, form: Format, file: Path, *, audio: str | None = None) -> None:
    """Write one call to a file; one that exists is replaced as a whole or not at all.

    `audio` is what a page's player plays.

    Raises:
        ResultUnwritable: the file cannot be written.
    """
    document = _document(call, form, audio)
    with writing(file):
        target = file.resolve()
        if target.exists() and not target.is_file():
            target.write_text(document, encoding="utf-8")
            return
        part = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            part.write_text(document, encoding="utf-8")
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def writing(place: Path, option: str = "--output") -> Iterator[None]:
    """Turn what keeps `place`, which `option` names, from being written into a sentence.

    Raises:
        ResultUnwritable: it cannot be written.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ResultUnwritable(f"{place} cannot be written ({reason}). Choose another place with {option}.") from error


def _document(call: Call, form: Format, audio: str | None) -> str:
    return html.write(call, audio) if form is Format.HTML else WRITERS[form](call)


def _names(sources: Sequence[Path]) -> dict[Path, str]:
    stems = Counter(map(_stem, sources))
    taken: set[str] = set()
    names: dict[Path, str] = {}
    for source in sources:
        shared = stems[_stem(source)] > 1 and source != STANDARD_INPUT
        wanted = source.name if shared else _stem(source)
        names[source] = next(name for name in _numbered(wanted) if name not in taken)
        taken.add(names[source])
    return names


def _stem(source: Path) -> str:
    return "stdin" if source == STANDARD_INPUT else source.stem


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}-{number}" for number in count(2))
