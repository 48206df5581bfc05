"""Transcripts from the command line: with the real server, and with none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .running import Cli

SRT = """1
00:00:01,000 --> 00:00:03,000
Agent: Thank you for calling. How can I help you?

2
00:00:02,500 --> 00:00:05,000
Customer: My order is broken and I am very angry.
"""
ROWS = [
    {"start": 0, "end": 2, "speaker": "Ann", "text": "thank you for calling how can I help you"},
    {"start": 2, "end": 4, "speaker": "Bob", "text": "it is broken and I am very angry"},
]
UNTIMED = [{"start": 0, "end": 2, "text": "yes"}, {"text": "no"}]
Validate = Callable[[Any], None]


@pytest.fixture
def archive(here: Path) -> Path:
    """A folder of transcripts, one of them without times."""
    folder = here / "archive"
    (folder / "2024").mkdir(parents=True)
    (folder / "a.srt").write_text(SRT)
    (folder / "2024" / "b.json").write_text(json.dumps(ROWS))
    (folder / "c.json").write_text(json.dumps(UNTIMED))
    return folder


def nearly_equal(one: Any, other: Any) -> bool:
    """Equal but for the call's last fraction of a millisecond, which a result does not keep."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(nearly_equal(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(nearly_equal, one, other))
    if isinstance(one, float) or isinstance(other, float):
        return bool(one == pytest.approx(other, abs=0.0011, rel=1e-4))
    return bool(one == other)


def test_a_folder_is_analysed_without_any_server(callscope: Cli, archive: Path, validate: Validate) -> None:
    ended = callscope("analyze", "--transcript", "--offline", archive, "--format", "json")
    assert (ended.code, ended.left) == (3, ())
    damaged, offline = ended.stderr.splitlines()
    assert "c.json, segment 2: its start is not told, and times are not made up" in damaged
    assert "Without a server" in offline
    results = [json.loads(line) for line in ended.stdout.splitlines()]
    for result in results:
        validate(result)
    assert [Path(result["call"]["source"]).name for result in results] == ["b.json", "a.srt"]
    assert [result["processing"]["models"] for result in results] == [{}, {}]
    assert [one["role_source"] for one in results[1]["speakers"]] == ["metadata", "metadata"]
    assert results[1]["metrics"]["interruptions"]["customer"] == 1


def test_a_result_for_each_is_written_to_a_folder(callscope: Cli, archive: Path, here: Path) -> None:
    ended = callscope(
        "analyze", "--transcript", "--offline", archive / "a.srt", archive / "2024", "-f", "vtt", "-o", "out/"
    )
    assert ended.code == 0
    assert sorted(file.name for file in (here / "out").iterdir()) == ["a.vtt", "b.vtt"]
    assert "<v Agent>Thank you for calling." in (here / "out" / "a.vtt").read_text()


def test_every_call_of_a_file_has_a_result_of_its_own(callscope: Cli, archive: Path, here: Path) -> None:
    made = callscope("analyze", "--transcript", "--offline", archive / "a.srt", archive / "2024", "-f", "jsonl")
    (here / "all.jsonl").write_text(made.stdout)
    ended = callscope("analyze", "--transcript", "--offline", "all.jsonl", "-o", "out/")
    assert ended.code == 0
    results = [json.loads((here / "out" / name).read_text()) for name in ("all.json", "all-2.json")]
    assert [result["segments"][0]["text"][:9] for result in results] == ["Thank you", "thank you"]


def test_the_real_server_puts_in_marks_and_hears_moods(
    callscope: Cli, archive: Path, server: tuple[str, str], validate: Validate
) -> None:
    ended = callscope("analyze", "--transcript", archive / "2024" / "b.json", "--language", "en", "-f", "json", *server)
    assert (ended.code, ended.stderr, ended.left) == (0, "", ())
    result = json.loads(ended.stdout)
    validate(result)
    assert set(result["processing"]["models"]) == {"punctuation", "sentiment"}
    assert result["processing"]["degraded"] == []
    assert [segment["raw_text"] for segment in result["segments"]] == [row["text"] for row in ROWS]
    assert result["segments"][0]["text"].startswith("Thank")
    assert result["segments"][0]["text"][-1] in "?."
    assert all(segment["sentiment"]["source"].startswith("model") for segment in result["segments"])
    assert {one["id"]: one["role"] for one in result["speakers"]} == {"Ann": "agent", "Bob": "customer"}


def test_a_result_read_again_amounts_to_what_its_sound_did(
    callscope: Cli, call: Path, here: Path, server: tuple[str, str]
) -> None:
    (here / "first.json").write_text(callscope("analyze", call, "-f", "json", "--agent-channel", 0, *server).stdout)
    again = callscope("analyze", "--transcript", "first.json", "-f", "json", *server)
    assert again.code == 0
    first, second = json.loads((here / "first.json").read_text()), json.loads(again.stdout)
    assert second["segments"] == first["segments"]
    assert second["speakers"] == first["speakers"]
    assert nearly_equal(second["metrics"], first["metrics"])


def test_files_that_cannot_be_read_start_no_server(callscope: Cli, archive: Path) -> None:
    callscope("analyze", "--transcript", archive / "c.json").failed_with(3, "c.json", "segment 2")
    callscope("analyze", "--transcript", "none.srt").failed_with(3, "none.srt", "cannot be read")
    callscope("analyze", "--transcript", "call.wav").failed_with(3, "call.wav", ".srt", ".csv")


def test_a_server_that_is_not_there_is_told_once(callscope: Cli, archive: Path, free_port: int) -> None:
    gone = f"grpc://127.0.0.1:{free_port}"
    ended = callscope("analyze", "--transcript", archive / "a.srt", archive / "2024", "--server", gone)
    ended.failed_with(4, gone)


def test_wrong_words_are_told(callscope: Cli, archive: Path) -> None:
    offline = ("analyze", "--transcript", "--offline")
    named = callscope(*offline, archive / "a.srt", "--agent", "Eve")
    named.failed_with(2, "Eve", "Agent, Customer", "--agent")
    callscope(*offline, archive / "a.srt", "--encoding", "klingon").failed_with(2, "klingon", "--encoding", "cp949")
    callscope("analyze", archive / "a.srt", "--agent", "Eve").failed_with(2, "--transcript", "--agent-channel")


def test_a_table_of_another_encoding_is_read_when_it_is_named(callscope: Cli, here: Path) -> None:
    (here / "a.csv").write_bytes("시작,종료,화자,내용\n0,1,상담원,네\n1,2,고객,아니요\n".encode("cp949"))
    callscope("analyze", "--transcript", "--offline", "a.csv").failed_with(3, "a.csv", "--encoding")
    ended = callscope("analyze", "--transcript", "--offline", "a.csv", "--encoding", "cp949", "-f", "txt")
    assert ended.code == 0
    assert [line.split()[1:] for line in ended.stdout.splitlines()] == [["Agent", "네"], ["Customer", "아니요"]]
