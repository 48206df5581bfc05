"""Results read from files, in parts that several processes can share and none of which is large."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from callscope.report.overview.brief import Brief, NoResult, brief_of

PART_BYTES = 16 * 2**20
"""JSON Lines are read in parts of about this size."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LINES = ".jsonl"


@dataclass(frozen=True, slots=True)
class Part:
    """The lines of a file that begin in [start, end), in bytes; the whole file where `end` is None.

    Attributes:
        link: the call's own page, as a reference in a page; None without one.
    """

    file: Path
    start: int = 0
    end: int | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a part holds.

    Attributes:
        briefs: its calls.
        faults: what is no result: the line, counted from 1 within the part (0 for a whole file), and why.
        lines: how many lines the part has.
    """

    part: Part
    briefs: tuple[Brief, ...]
    faults: tuple[tuple[int, str], ...] = ()
    lines: int = 0


def parts(file: Path, beside: Path, part_bytes: int = PART_BYTES) -> list[Part]:
    """The parts of a file, in its order.

    Args:
        file: a result in JSON, or several in JSON Lines.
        beside: the folder of the page that links to the calls' own.
        part_bytes: the size to which JSON Lines are cut.
    """
    if file.suffix != LINES:
        return [Part(file, link=_link(file, beside))]
    try:
        size = file.stat().st_size
    except OSError:
        return [Part(file, 0, 0)]
    return [Part(file, start, start + part_bytes) for start in range(0, max(size, 1), part_bytes)]


def read_part(part: Part) -> Answer:
    """The calls of a part, and what in it is no result. Run in a process of its own."""
    try:
        return _whole(part) if part.end is None else _lines(part, part.end)
    except OSError as error:
        return Answer(part, (), ((0, f"it cannot be read: {error.strerror or type(error).__name__}"),))


def _whole(part: Part) -> Answer:
    try:
        return Answer(part, (brief_of(part.file.read_bytes().removeprefix(BYTE_ORDER_MARK), part.link),))
    except NoResult as error:
        return Answer(part, (), ((0, str(error)),))


def _lines(part: Part, end: int) -> Answer:
    briefs: list[Brief] = []
    faults: list[tuple[int, str]] = []
    number = 0
    with part.file.open("rb") as file:
        for number, line in enumerate(_beginning_in(file, part.start, end), start=1):
            if not line.strip():
                continue
            try:
                briefs.append(brief_of(line.removeprefix(BYTE_ORDER_MARK), None))
            except NoResult as error:
                faults.append((number, str(error)))
    return Answer(part, tuple(briefs), tuple(faults), number)


def _beginning_in(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    """Lines are cut at newlines alone: the texts of calls may hold other breaks, such as U+2028."""
    place = max(start - 1, 0)
    file.seek(place)
    if start:  # the line that runs across the start belongs to the part before
        place += len(file.readline())
    while place < end and (line := file.readline()):
        place += len(line)
        yield line


def _link(file: Path, beside: Path) -> str | None:
    """The page beside a result, percent-encoded byte by byte, since names need not be UTF-8."""
    page = file.with_suffix(".html")
    return quote(os.fsencode(os.path.relpath(page.resolve(), beside.resolve()))) if page.is_file() else None
