"""`callscope errors`: explained, counted in logs, counted in stored results."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callscope.cli import app
from callscope.error_classes import error_classes
from callscope.errors import ServerBusy
from callscope.settings import Settings
from callscope.store.sql import open_store
from callscope.telemetry.calls import name_call, whole_call
from callscope.telemetry.failures import note_failure
from callscope.telemetry.logs import configure_logging, end_logging

from ...report_calls import dialogue_call


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["errors", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result.output


def test_without_a_log_every_error_is_explained() -> None:
    rows = json.loads(run("--json"))
    assert [row["name"] for row in rows] == [one.name for one in error_classes()]
    text = " ".join(run().split())
    assert "The server refused for now, because its queue is full" in text


def test_errors_of_a_log_are_counted_with_their_calls_and_times(tmp_path: Path) -> None:
    configure_logging(Settings(log_file=tmp_path / "log"))
    for sha256 in ("a" * 64, "a" * 64, "b" * 64):
        with whole_call():
            name_call(sha256)
            note_failure(ServerBusy("grpc://a:1", "transcribe", "full"))
    note_failure(KeyError("x"))
    end_logging()
    busy, bug = json.loads(run(tmp_path / "log", "--json"))
    assert (busy["name"], busy["count"], busy["calls"]) == ("ServerBusy", 3, 2)
    assert busy["first"] <= busy["last"]
    assert busy["remedy"].startswith("Lower --concurrency")
    assert (bug["name"], bug["count"], bug["remedy"]) == ("KeyError", 1, "")


def test_a_list_of_what_was_set_aside_is_counted_and_sentences_between_lines_do_not_matter(tmp_path: Path) -> None:
    aside = tmp_path / "callscope-aside.jsonl"
    lines = [{"path": f"{name}.wav", "reason": "No.", "error": "AudioEmpty"} for name in "ab"]
    aside.write_text("3 analysed.\n" + "".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (row,) = json.loads(run(aside, "--json"))
    assert (row["name"], row["count"], row["calls"]) == ("AudioEmpty", 2, 2)


@pytest.mark.parametrize("text", ["no JSON\n", None])
def test_a_file_that_is_no_log_is_one_sentence(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "log").write_text(text, encoding="utf-8")
    said = run(tmp_path / "log", code=3)
    assert "Name a log" in said
    assert len(said.splitlines()) == 1


def test_an_empty_log_has_no_error(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    assert run(tmp_path / "log") == "No error.\n"


def test_what_stored_results_lack_is_counted_by_step(tmp_path: Path) -> None:
    call = dialogue_call("en")
    steps = tuple(replace(step, status="failed", error="It was away.") for step in call.processing.steps[:1])
    lacking = replace(call, processing=replace(call.processing, steps=steps, degraded=(steps[0].name,)))
    store = open_store(str(tmp_path / "calls.db"))
    store.put([lacking])
    store.close()
    (row,) = json.loads(run("--store", tmp_path / "calls.db", "--json"))
    assert row == {"step": steps[0].name, "status": "failed", "calls": 1, "reason": "It was away."}
