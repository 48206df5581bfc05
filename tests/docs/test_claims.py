"""docs/claims.md: what the project says of itself, and the command that shows it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLAIMS = ROOT / "docs" / "claims.md"
COLUMNS = ["claim", "command", "last seen", "where"]
TEST = re.compile(r"^(?:async )?def (test_\w+)|^class (Test\w+)", re.MULTILINE)


def cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def rows() -> list[list[str]]:
    """The rows of every table of claims on the page."""
    found: list[list[str]] = []
    inside = False
    for line in CLAIMS.read_text(encoding="utf-8").splitlines() if CLAIMS.is_file() else []:
        if not line.startswith("|"):
            inside = False
        elif cells(line) == COLUMNS:
            inside = True
        elif inside and not set(line) <= set("|-: "):
            found.append(cells(line))
    return found


def named_tests(command: str) -> list[str]:
    """The tests that a command names: `pytest tests/x.py::test_y tests/z`, with or without backticks."""
    words = shlex.split(command.replace("`", ""))
    return [word for word in words if word.startswith("tests/")] if "pytest" in " ".join(words) else []


def test_the_page_has_claims() -> None:
    assert CLAIMS.is_file()
    assert len(rows()) > 5


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0][:60])
def test_a_claim_has_its_command_its_figure_and_its_place(row: list[str]) -> None:
    assert len(row) == len(COLUMNS)
    assert [name for name, cell in zip(COLUMNS, row, strict=True) if not cell] == []


@pytest.mark.parametrize(
    "name", [name for row in rows() if len(row) > 1 for name in named_tests(row[1])], ids=lambda name: name
)
def test_a_claims_test_exists(name: str) -> None:
    path, *parts = name.split("::")
    assert (ROOT / path).exists(), name
    if parts:
        defined = {match for pair in TEST.findall((ROOT / path).read_text(encoding="utf-8")) for match in pair if match}
        methods = set(
            re.findall(r"^    (?:async )?def (test_\w+)", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
        )
        assert {part.partition("[")[0] for part in parts} <= defined | methods, name
