from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.client.store.conftest import make_call
from typer.testing import CliRunner

from callscope.cli import app
from callscope.store.sql import open_store


@pytest.fixture
def database(tmp_path: Path) -> Path:
    file = tmp_path / "calls.db"
    store = open_store(str(file))
    store.put(
        [make_call(1, metadata={"date": "2020-05-05", "note": "=1+1"}), make_call(2), make_call(3, language="ja")]
    )
    store.close()
    return file


def run(*arguments: object) -> tuple[int, str, str]:
    outcome = CliRunner().invoke(app, ["db", *map(str, arguments)])
    return outcome.exit_code, outcome.stdout, outcome.stderr


def test_calls_are_found_by_what_is_said_and_by_figures(database: Path) -> None:
    code, said, _ = run("query", "--store", database, "--text", "환불", "--format", "json")
    assert code == 0
    assert [hit["segment"] for hit in json.loads(said)] == ["seg-0001"] * 3
    code, said, _ = run("query", "--store", database, "--language", "ja", "--format", "json")
    assert [row["source"] for row in json.loads(said)] == ["calls/3.wav"]
    assert run("query", "--store", database, "--above", "honorific_ratio=0.9")[1].strip() == "No calls."


def test_csv_runs_nothing(database: Path) -> None:
    store = open_store(str(database))
    store.put([make_call(9, source="=cmd()")])
    store.close()
    assert "'=cmd()" in run("query", "--store", database, "--format", "csv")[1]


def test_whole_results_are_exported(database: Path, tmp_path: Path) -> None:
    assert run("export", "--store", database, "--output", tmp_path / "all.jsonl")[0] == 0
    lines = (tmp_path / "all.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["call"]["source"] for line in lines] == ["calls/1.wav", "calls/2.wav", "calls/3.wav"]


def test_old_calls_are_purged_by_their_own_date(database: Path) -> None:
    code, _, said = run("purge", "--store", database, "--older-than", "2021-01-01")
    assert (code, "1 calls" in said) == (0, True)
    assert "calls     2" in run("status", "--store", database)[1]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["purge", "--older-than", "9x"], 2, "no time"),
        (["query", "--above", "nonsense=1"], 2, "no figure 'nonsense'"),
        (["query", "--above", "nonsense"], 2, "FIGURE=VALUE"),
        (["query", "--since", "yesterday"], 2, "no time"),
        (["status", "--store", "mysql://x/y"], 2, "SQLite or PostgreSQL"),
        (["status", "--store", "/proc/none/calls.db"], 4, "cannot be used"),
    ],
)
def test_wrong_usage_is_one_sentence(database: Path, arguments: list[str], code: int, sentence: str) -> None:
    place = [] if "--store" in arguments else ["--store", str(database)]
    found, _, said = run(*arguments, *place)
    assert found == code
    assert sentence in said.replace("\n", " ")


def test_tables_are_made_by_upgrade(tmp_path: Path) -> None:
    code, _, said = run("upgrade", "--store", tmp_path / "new.db")
    assert (code, "0001" in said) == (0, True)


def test_a_file_that_is_misspelled_is_not_made_by_asking_it(tmp_path: Path) -> None:
    code, _, said = run("query", "--store", tmp_path / "typo.db")
    assert code == 4
    assert "no such file" in said.replace("\n", " ")
    assert not (tmp_path / "typo.db").exists()
