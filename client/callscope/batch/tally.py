"""How a batch went, and the list of what it could not read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from callscope.batch.sources import Item
from callscope.batch.work import Outcome


@dataclass(slots=True)
class Tally:
    """How a batch went.

    Attributes:
        done: recordings whose results were stored.
        cached: those of them whose results came from the cache.
        known: recordings that had a result.
        aside: recordings that cannot be read, with the reason.
        errors: the class of the error of each.
        again: requests that were tried again.
    """

    done: int = 0
    cached: int = 0
    known: int = 0
    aside: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    again: int = 0

    @property
    def count(self) -> int:
        """How many recordings have been seen to."""
        return self.done + self.known + len(self.aside)

    def add(self, item: Item, outcome: Outcome) -> None:
        """Count what became of a recording."""
        self.done += outcome.state == "done"
        self.cached += outcome.cached
        self.known += outcome.state == "known"
        self.again += outcome.again
        if outcome.state == "aside":
            self.aside[item.name] = outcome.reason
            self.errors[item.name] = outcome.error


def write_aside(tally: Tally, file: Path) -> None:
    """Write what was set aside, a line of JSON each; an old list is replaced, and gone where there is nothing."""
    if not tally.aside:
        file.unlink(missing_ok=True)
        return
    found = ({"path": path, "reason": why, "error": tally.errors.get(path)} for path, why in tally.aside.items())
    lines = (json.dumps(one, ensure_ascii=False) for one in found)
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
