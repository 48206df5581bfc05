"""`callscope cache`: results that are used again, shown and thrown away."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from callscope.cache.results import NAME, Results
from callscope.cli import app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    outcome = CliRunner().invoke(app, ["cache", *arguments, "--cache", str(folder)])
    return outcome.exit_code, outcome.stdout, outcome.stderr


def keep_one(folder: Path) -> None:
    results = Results(folder, max_bytes=1 << 20, max_age_s=86400.0)
    results.put("a", "1", b"x")
    results.get("a")
    results.close()


def shown(folder: Path) -> dict[str, str]:
    code, said, _ = run(folder)
    assert code == 0
    return dict(line.split(maxsplit=1) for line in said.splitlines())


def test_what_is_kept_is_shown_with_its_uses_and_its_limit(folder: Path) -> None:
    keep_one(folder)
    told = shown(folder)
    assert (told["entries"], told["bytes"], told["hits"], told["limit"]) == ("1", "4608", "1", str(1 << 30))
    assert told["oldest"].endswith("UTC")


def test_looking_at_a_cache_that_is_not_there_does_not_make_it(folder: Path) -> None:
    assert shown(folder)["entries"] == "0"
    assert run(folder, "clear")[0] == 0
    assert not folder.exists()


def test_it_is_cleared_of_what_is_old_or_of_all(folder: Path) -> None:
    keep_one(folder)
    assert run(folder, "clear", "--older-than", "1d")[2].startswith("0 results")
    assert run(folder, "clear")[2].startswith("1 results")
    assert shown(folder)["entries"] == "0"


def test_a_damaged_file_is_one_sentence_and_goes_with_clear(folder: Path) -> None:
    keep_one(folder)
    (folder / NAME).write_bytes(b"damaged" * 1000)
    code, _, said = run(folder)
    assert (code, said.count("\n")) == (3, 1)
    assert "callscope cache clear" in said
    assert run(folder, "clear", "--older-than", "1d")[0] == 3
    assert run(folder, "clear")[0] == 0
    assert not (folder / NAME).exists()


def test_an_age_that_is_none_is_an_error_of_usage(folder: Path) -> None:
    code, _, said = run(folder, "clear", "--older-than", "soon")
    assert (code, "'soon' is no time" in said) == (2, True)
