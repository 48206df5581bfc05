"""Figures within a budget and beyond it, and what the process says of them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from loadtest.verdict import BudgetInvalid, Limit, exit_code, judge, read_budget, table

FIGURES = {"steady.error_rate": 0.0, "steady.transcribe.p95_ms": 800.0, "live.calls": 20.0, "live.p95_ms": math.nan}


def limits(tmp_path: Path, text: str) -> list[Limit]:
    (tmp_path / "budget.toml").write_text(f"[limits]\n{text}\n")
    return read_budget(tmp_path / "budget.toml")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('"steady.error_rate" = { at_most = 0 }', 0),
        ('"steady.transcribe.p95_ms" = { at_most = 800 }', 0),
        ('"steady.transcribe.p95_ms" = { at_most = 799 }', 1),
        ('"live.calls" = { at_least = 20 }', 0),
        ('"live.calls" = { at_least = 21 }', 1),
        ('"live.p95_ms" = { at_most = 1000 }', 1),  # nothing was measured
        ("", 0),
    ],
)
def test_the_exit_code_says_whether_every_limit_is_kept(tmp_path: Path, text: str, code: int) -> None:
    assert exit_code(judge(limits(tmp_path, text), FIGURES)) == code


def test_the_table_names_what_is_over(tmp_path: Path) -> None:
    rows = judge(limits(tmp_path, '"live.calls" = { at_least = 21 }\n"steady.error_rate" = { at_most = 0 }'), FIGURES)
    over, kept, _, last = table(rows).splitlines()
    assert over.split() == ["live.calls", "20", "at", "least", "21", "OVER"]
    assert kept.endswith("kept")
    assert last == "1 of 2 limits are not kept."


@pytest.mark.parametrize(
    "text",
    ['"live.calls" = 3', '"live.calls" = { atleast = 3 }', '"live.calls" = { at_least = 1, at_most = 2 }', "= 3"],
)
def test_a_budget_that_cannot_be_understood_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BudgetInvalid, match=r"budget\.toml"):
        limits(tmp_path, text)


def test_a_limit_of_an_unknown_figure_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BudgetInvalid, match=r"live\.call,.*live\.calls"):
        judge(limits(tmp_path, '"live.call" = { at_least = 1 }'), FIGURES)
