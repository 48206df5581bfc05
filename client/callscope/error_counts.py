"""How often which error came: in logs, in a batch's list of what was set aside, in stored results."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from callscope.errors import CallscopeError

UNNAMED = "(no name)"
"""Of an error in a list that says only what happened."""


class LogInvalid(CallscopeError):
    """A file holds no line of a log in JSON, and is no list of what was set aside.

    What to do: name a file that `log_file` or --log-format json has written, or the one of --aside.
    """

    exit_code: ClassVar[int] = 3


@dataclass(slots=True)
class ErrorCount:
    """How often an error came.

    Attributes:
        count: lines that name it.
        calls: the calls or recordings that it came in.
        first: the time of the earliest line, as the log has it; empty where lines have no time.
        last: of the latest.
    """

    count: int = 0
    calls: set[str] = field(default_factory=set)
    first: str = ""
    last: str = ""

    def add(self, line: Mapping[str, Any]) -> None:
        """Count one line."""
        self.count += 1
        if call := line.get("call") or line.get("path"):
            self.calls.add(str(call))
        if moment := str(line.get("timestamp", "")):
            self.first = min(filter(None, (self.first, moment)))
            self.last = max(self.last, moment)


def count_errors(files: Iterable[Path]) -> dict[str, ErrorCount]:
    """The errors that files name, the most frequent first.

    Args:
        files: logs in JSON, today's or earlier days', and lists of what a batch set aside. Lines that are no JSON, as
            sentences between them, are passed over.

    Raises:
        LogInvalid: a file cannot be read, or has lines and none of them is JSON.
    """
    found: dict[str, ErrorCount] = {}
    for file in files:
        for line in _lines(file):
            if name := line.get("error") or (UNNAMED if "reason" in line else ""):
                found.setdefault(str(name), ErrorCount()).add(line)
    return dict(sorted(found.items(), key=lambda one: (-one[1].count, one[0])))


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    other, known = 0, 0
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            for text in filter(str.strip, opened):
                if (line := _parsed(text)) is None:
                    other += 1
                else:
                    known += 1
                    yield line
    except OSError as error:
        raise LogInvalid(f"{file} cannot be read ({error.strerror}). Name a log in JSON.") from error
    if other and not known:
        raise LogInvalid(f"{file} has no line of JSON. Name a log that --log-file or --log-format json has written.")


def _parsed(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) else None


@dataclass(slots=True)
class StepCount:
    """How often a step of stored calls ended otherwise than well.

    Attributes:
        count: calls.
        reasons: what was said, and how often.
    """

    count: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


def count_steps(documents: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], StepCount]:
    """Steps of results that failed, were skipped or did less, by name and status, the most frequent first."""
    found: dict[tuple[str, str], StepCount] = {}
    for document in documents:
        for step in document["processing"]["steps"]:
            if step["status"] != "ok":
                counted = found.setdefault((step["name"], step["status"]), StepCount())
                counted.count += 1
                counted.reasons[str(step["error"] or "")] += 1
    return dict(sorted(found.items(), key=lambda one: (-one[1].count, one[0])))
