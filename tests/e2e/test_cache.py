"""Results used again by the commands: what is said, what is kept where, and what stays of each request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import soundfile

from callscope.cache.results import NAME

from .running import Cli, Ended

COUNT = 3


@pytest.fixture
def recordings(demo_calls: Path, tmp_path: Path) -> Path:
    """Short recordings in three languages."""
    folder = tmp_path / "in"
    folder.mkdir()
    for language in ("en", "ja", "ko"):
        sound, rate_hz = soundfile.read(demo_calls / f"{language}.wav", dtype="int16")
        soundfile.write(folder / f"{language}.wav", sound[: 6 * rate_hz], rate_hz)
    return folder


def told(ended: Ended) -> list[Any]:
    assert ended.code == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def cached(results: list[Any]) -> list[bool]:
    return [result["processing"].pop("cached") for result in results]


def test_a_second_analysis_gives_the_first_ones_result_and_says_so(
    callscope: Cli, server: tuple[str, str], recordings: Path, tmp_path: Path
) -> None:
    files = sorted(recordings.iterdir())
    work = ("analyze", *files, "--format", "jsonl", *server, "--cache", tmp_path / "cache")
    first, again = told(callscope(*work)), told(callscope(*work))
    assert (cached(first), cached(again)) == ([False] * COUNT, [True] * COUNT)
    assert again == first
    ended = callscope(*work, "--no-cache")
    assert cached(told(ended)) == [False] * COUNT
    ended = callscope("transcribe", files[0], *server, "--cache", tmp_path / "cache", "--log-level", "info")
    assert "Cache hit" in ended.stderr
    said = callscope("cache", "--cache", tmp_path / "cache").stdout
    assert dict(line.split(maxsplit=1) for line in said.splitlines()).items() >= {"entries": "3", "hits": "4"}.items()


def test_the_path_and_what_is_known_of_a_call_are_those_of_the_request(
    callscope: Cli, server: tuple[str, str], recordings: Path, tmp_path: Path
) -> None:
    for team in ("A", "B"):
        listed = recordings / f"{team}.csv"
        (recordings / f"{team}.wav").write_bytes((recordings / "en.wav").read_bytes())
        listed.write_text(f"path,team\n{team}.wav,{team}\n", encoding="utf-8")
        store = ("--store", tmp_path / f"{team}.db")
        ended = callscope("batch", listed, *store, *server, "--cache", tmp_path / "cache")
        assert ended.code == 0, ended.stderr
        (result,) = told(callscope("db", "export", *store))
        assert result["call"]["metadata"] == {"team": team}
        assert result["call"]["source"].endswith(f"{team}.wav")
        assert result["processing"]["cached"] == (team == "B")
    kept = b"".join(file.read_bytes() for file in (tmp_path / "cache").iterdir())
    assert b"team" not in kept
    assert b".wav" not in kept


def test_a_batch_keeps_results_of_itself_and_an_analysis_only_where_it_is_told_to(
    callscope: Cli, server: tuple[str, str], recordings: Path, tmp_path: Path
) -> None:
    home = {"XDG_CACHE_HOME": str(tmp_path / "home"), "CALLSCOPE_CACHE": ""}
    file = tmp_path / "home" / "callscope" / "results" / NAME
    assert callscope("analyze", recordings / "en.wav", *server, env=home).code == 0
    work = ("batch", recordings, *server)
    assert callscope(*work, "--store", "off.db", "--no-cache", env=home).code == 0
    assert not file.exists()
    assert "3 analysed, 0 had" in callscope(*work, "--store", "one.db", env=home).stderr
    assert file.exists()
    assert "0 analysed, 3 from the cache, 0 had" in callscope(*work, "--store", "two.db", env=home).stderr
    gone = callscope("db", "purge", "--older-than", "2100-01-01", "--store", "two.db", env=home)
    assert gone.code == 0, gone.stderr
    assert "entries  0" in callscope("cache", env=home).stdout


def test_a_redacted_result_is_never_given_to_who_wants_it_plain_nor_the_other_way_round(
    callscope: Cli, server: tuple[str, str], recordings: Path, tmp_path: Path
) -> None:
    named = (recordings / "en.wav").rename(recordings / "010-1234-5678.wav")
    work = ("analyze", named, "--format", "jsonl", *server, "--cache", tmp_path / "cache")
    (plain,), (masked,) = told(callscope(*work)), told(callscope(*work, "--redact"))
    (again,), (masked_again,) = told(callscope(*work)), told(callscope(*work, "--redact"))
    assert cached([plain, masked, again, masked_again]) == [False, False, True, True]
    assert (again, masked_again) == (plain, masked)
    assert "5678" in plain["call"]["source"]
    assert "5678" not in masked["call"]["source"]


def test_a_call_of_which_a_step_fell_back_is_analysed_again(
    callscope: Cli, server: tuple[str, str], recordings: Path, tmp_path: Path
) -> None:
    sound, rate_hz = soundfile.read(recordings / "en.wav", dtype="int16")
    soundfile.write(tmp_path / "mono.wav", sound[:, 0], rate_hz)
    work = ("analyze", tmp_path / "mono.wav", "--format", "jsonl", *server, "--cache", tmp_path / "cache")
    for _ in range(2):
        (result,) = told(callscope(*work, "--diarize", "auto"))
        assert result["processing"]["degraded"] == ["diarize"]
        assert not result["processing"]["cached"]


def test_a_cache_that_cannot_be_written_is_said_once_and_every_call_is_analysed(
    callscope: Cli, server: tuple[str, str], recordings: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    ended = callscope("batch", recordings, "--store", "calls.db", *server, "--cache", tmp_path / "file" / "cache")
    assert ended.code == 0, ended.stderr
    assert "3 analysed" in ended.stderr
    assert " ".join(ended.stderr.split()).count("cannot be used") == 1
