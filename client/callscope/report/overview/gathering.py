"""The calls of many files, read by several processes where that pays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import ClassVar

from callscope.errors import CallscopeError
from callscope.report.overview.brief import Brief
from callscope.report.overview.reading import Answer, parts, read_part

FILES = 200
"""Files of one call each from which on several processes read them."""
TOGETHER = 16
"""How many such files a process is handed at a time."""


class ResultInvalid(CallscopeError):
    """A file, or a line of one, is no result of Callscope; `others` lines of the file are none either.

    What to do: leave the file out, or make it again with `callscope analyze`.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, place: str, why: str, others: int = 0) -> None:
        super().__init__(place, why, others)
        self.place, self.why, self.others = place, why, others

    def __str__(self) -> str:
        """What is wrong, and what to do."""
        more = f", nor are {self.others} other lines of that file" if self.others else ""
        return (
            f"{self.place} is no result of Callscope ({self.why}){more}. "
            "Leave it out, or make it again with `callscope analyze`."
        )


def gathered(files: Iterable[Path], beside: Path) -> Iterator[Brief | ResultInvalid]:
    """The calls of the files in their order, and after those of a file one error if something in it is no result.

    Args:
        files: results in JSON or JSON Lines.
        beside: the folder of the page that links to the calls' own.
    """
    found = [part for file in files for part in parts(file, beside)]
    cut = len({part.file for part in found}) < len(found)
    if len(found) < FILES and not cut:
        yield from _by_file(map(read_part, found))
        return
    with ProcessPoolExecutor() as processes:
        yield from _by_file(processes.map(read_part, found, chunksize=1 if cut else TOGETHER))


def newest(briefs: Iterable[Brief]) -> list[Brief]:
    """One brief a recording: that of its last analysis."""
    last: dict[str, Brief] = {}
    for brief in briefs:
        if brief.id not in last or last[brief.id].created <= brief.created:
            last[brief.id] = brief
    return list(last.values())


def _by_file(answers: Iterable[Answer]) -> Iterator[Brief | ResultInvalid]:
    for file, of_file in groupby(answers, key=lambda answer: answer.part.file):
        begun = 0
        wrong: list[tuple[int, str]] = []
        for answer in of_file:
            yield from answer.briefs
            wrong += [(begun + line if line else 0, why) for line, why in answer.faults]
            begun += answer.lines
        if wrong:
            yield _fault(file, wrong)


def _fault(file: Path, wrong: Sequence[tuple[int, str]]) -> ResultInvalid:
    line, why = wrong[0]
    return ResultInvalid(f"{file}, line {line}" if line else str(file), why, len(wrong) - 1)
