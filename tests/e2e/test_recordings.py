"""Every recording of human speech that the tests are given ends in a result that keeps the schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .running import Ended, run

FOLDERS = ("calls", "speech", "diarization")
SUFFIXES = {".wav", ".flac", ".mp3", ".m4a", ".ogg", ".opus"}


@pytest.fixture(scope="module")
def recordings(shared_data: Path) -> list[Path]:
    return sorted(file for name in FOLDERS for file in (shared_data / name).iterdir() if file.suffix in SUFFIXES)


@pytest.fixture(scope="module")
def ended(recordings: list[Path], tmp_path_factory: pytest.TempPathFactory, server: tuple[str, str]) -> Ended:
    """One command over all of them, which prints a result a line."""
    return run("analyze", *recordings, "--format", "json", *server, cwd=tmp_path_factory.mktemp("recordings"))


def test_all_of_them_are_analysed(ended: Ended, recordings: list[Path]) -> None:
    assert (ended.code, ended.left) == (0, ())
    assert [line for line in ended.stderr.splitlines() if ": diarize degraded: " not in line] == []
    sources = [json.loads(line)["call"]["source"] for line in ended.stdout.splitlines()]
    assert sources == [str(file) for file in recordings]
    assert len({Path(source).parent.name for source in sources}) == len(FOLDERS)


def test_every_result_keeps_the_schema(ended: Ended, validate: Callable[[Any], None]) -> None:
    for line in ended.stdout.splitlines():
        result = json.loads(line)
        validate(result)
        # Without pyannote.audio, speakers of one channel are told apart by lesser means, and that is said.
        together = len([one for one in result["processing"]["channels"] if one["same_as"] is None]) == 1
        assert set(result["processing"]["degraded"]) <= ({"diarize"} if together else set())
        for segment in result["segments"]:
            assert 0 <= segment["start"] < segment["end"] <= result["call"]["duration"]


def test_words_are_heard_in_most_of_them(ended: Ended) -> None:
    """The bundled recogniser knows other voices and other sentences: what it hears may be too unsure to be words."""
    results = [json.loads(line) for line in ended.stdout.splitlines()]
    assert sum(bool(result["segments"]) for result in results) > len(results) / 2
