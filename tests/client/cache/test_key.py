"""What a kept result is known by."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from callscope.cache import program
from callscope.cache.key import OF_THE_WAY, key_of
from callscope.settings import Settings

OTHER: dict[str, Any] = {
    "language": "ko", "agent_channel": 1, "max_duration_s": 10.0, "max_bytes": 10, "max_channels": 3,
    "raw": "mulaw:8000:1", "vad_mode": 1, "vad": "silero", "min_speech_s": 0.4, "denoise": "all", "diarize": "light",
    "diarization_model": "x", "speakers": "2", "max_gap_s": 0.1, "fill_windows": True, "max_retry_share": 0.0,
    "sentences": "kiwi", "sentiment_context": True, "redact": True, "non_talk_s": 5.0,
}  # fmt: skip
"""Another value than the default of each setting that can change a result."""


def key(settings: Settings | None = None, recording: str = "r", served: str = "s") -> str:
    return key_of(recording, served, settings or Settings())


def test_the_same_question_has_the_same_key_and_every_part_of_it_counts() -> None:
    assert key() == key()
    assert len({key(), key(recording="r2"), key(served="s2")}) == 3


@pytest.mark.parametrize("name", OTHER)
def test_a_setting_that_can_change_the_result_is_in_the_key(name: str) -> None:
    assert key(Settings(**{name: OTHER[name]})) != key()


class LaterSettings(Settings):
    """Those of a version to come, with a setting that nobody has thought about."""

    tomorrow: int = 1


def test_a_setting_that_is_added_counts_until_somebody_says_that_it_does_not() -> None:
    assert key(LaterSettings(tomorrow=2)) != key(LaterSettings())
    assert set(Settings.model_fields) >= OF_THE_WAY


def test_where_the_servers_are_and_how_they_are_asked_does_not_count() -> None:
    far = Settings(server="grpc://far:1", headers="A: b", concurrency=3, timeout_s=9.0, store="x.db", cache="/tmp/x")
    assert key(far) == key()


def test_a_folder_of_pyannotes_counts_by_what_it_holds(tmp_path: Path) -> None:
    settings = Settings(diarization_model=str(tmp_path))
    (tmp_path / "config.yaml").write_text("a")
    before = key(settings)
    assert key(settings) == before
    os.utime(tmp_path / "config.yaml", (1, 1))
    assert key(settings) != before


@pytest.mark.parametrize("name", ["callscope", "files", *program.PACKAGES])
def test_another_program_has_another_key(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    before, told = key(), program.program()
    monkeypatch.setattr("callscope.cache.key.program", lambda: told | {name: "another"})
    assert key() != before


def test_a_changed_file_of_the_program_makes_another_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text("a = 1")
    monkeypatch.setattr("callscope.cache.program._sources", lambda _: [])
    before = program._sha256_of_files()
    monkeypatch.setattr("callscope.cache.program._sources", lambda _: [Path(program.__file__)])
    monkeypatch.setattr("callscope.cache.program.callscope_preprocessing", program.callscope)
    assert program._sha256_of_files() != before
