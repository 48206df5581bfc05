"""Figures against a budget: which limit is kept, and the exit code."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

IN_BUDGET, OVER_BUDGET, WRONG_USE = 0, 1, 2


class BudgetInvalid(ValueError):
    """A budget cannot be understood; the message says what to correct."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a figure has to keep to: `at_most`, or `at_least`."""

    figure: str
    at_most: float = math.inf
    at_least: float = -math.inf

    def __str__(self) -> str:
        """As a row shows it."""
        return f"at most {self.at_most:g}" if self.at_most < math.inf else f"at least {self.at_least:g}"


@dataclass(frozen=True, slots=True)
class Row:
    """A limit and what was measured; NaN where there was nothing to measure, which keeps no limit."""

    limit: Limit
    measured: float

    @property
    def kept(self) -> bool:
        """Whether it is within the limit."""
        return self.limit.at_least <= self.measured <= self.limit.at_most


def read_budget(path: Path) -> list[Limit]:
    """Read limits: "FIGURE" = { at_most = X } or { at_least = X }, in the table [limits].

    Raises:
        BudgetInvalid: the file is not there, or is no such table.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))["limits"]
        return [_limit(figure, bounds) for figure, bounds in table.items()]
    except OSError as error:
        why = error.strerror
        raise BudgetInvalid(f"The budget {path} cannot be read ({why}). Name another with --budget.") from None
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise BudgetInvalid(
            f"The budget {path} cannot be understood ({error}). Compare it with loadtest/budget.toml."
        ) from None


def judge(limits: Sequence[Limit], figures: Mapping[str, float]) -> list[Row]:
    """Set limits beside what was measured.

    Raises:
        BudgetInvalid: a limit is for a figure that does not exist.
    """
    if unknown := [limit.figure for limit in limits if limit.figure not in figures]:
        raise BudgetInvalid(
            f"The budget limits {', '.join(unknown)}, which this run has not measured. "
            f"It has measured: {', '.join(sorted(figures))}."
        )
    return [Row(limit, figures[limit.figure]) for limit in limits]


def exit_code(rows: Sequence[Row]) -> int:
    """0 where every limit is kept, else 1."""
    return IN_BUDGET if all(row.kept for row in rows) else OVER_BUDGET


def table(rows: Sequence[Row]) -> str:
    """The verdict, a line a limit."""
    width = max((len(row.limit.figure) for row in rows), default=0)
    lines = [
        f"{row.limit.figure:<{width}}  {row.measured:>10.4g}  {row.limit!s:<16}  {'kept' if row.kept else 'OVER'}"
        for row in rows
    ]
    over = sum(not row.kept for row in rows)
    return "\n".join([*lines, "", f"{over} of {len(rows)} limits are not kept." if over else "In budget."])


def _limit(figure: str, bounds: Mapping[str, float]) -> Limit:
    if len(bounds) != 1 or not set(bounds) <= {"at_most", "at_least"}:
        raise KeyError(f"{figure} needs one of at_most and at_least")
    return Limit(figure, **{name: float(bound) for name, bound in bounds.items()})
