"""A line that lets one side through to the other: nobody is heard twice, and nobody takes the other's part."""

from __future__ import annotations

import json
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from .running import run

LEAK_DB = -20.0
DELAY_S = 0.004
ALIKE = 0.6
TOGETHER_S = 0.3


def leaking(call: Path, folder: Path) -> Path:
    """The call with each channel faintly in the other, a little later."""
    samples, rate_hz = soundfile.read(call, dtype="float32", always_2d=True)
    late = np.zeros_like(samples)
    late[round(DELAY_S * rate_hz) :] = samples[: -round(DELAY_S * rate_hz)]
    file = folder / call.name
    soundfile.write(file, samples + np.float32(10 ** (LEAK_DB / 20)) * late[:, ::-1], rate_hz, subtype="PCM_16")
    return file


def analysed(file: Path, server: tuple[str, str], folder: Path) -> dict[str, Any]:
    ended = run("analyze", file, "--agent-channel", "0", "--format", "json", *server, cwd=folder)
    assert ended.code == 0, ended.stderr
    result: dict[str, Any] = json.loads(ended.stdout)
    return result


def said_by(result: dict[str, Any], role: str) -> str:
    speaker = next(one["id"] for one in result["speakers"] if one["role"] == role)
    return " ".join(one["raw_text"] for one in result["segments"] if one["speaker"] == speaker)


def alike(first: str, second: str) -> float:
    return SequenceMatcher(None, first, second, autojunk=False).ratio()


@pytest.mark.parametrize("language", ["en", "ja", "ko"])
def test_nobody_is_heard_twice_and_the_parts_are_kept(
    language: str, demo_calls: Path, server: tuple[str, str], tmp_path: Path
) -> None:
    clean = analysed(demo_calls / f"{language}.wav", server, tmp_path)
    leaked = analysed(leaking(demo_calls / f"{language}.wav", tmp_path), server, tmp_path)
    segments = leaked["segments"]
    twice = [
        (one["text"], other["text"])
        for one in segments
        for other in segments
        if one["channel"] < other["channel"]
        and min(one["end"], other["end"]) - max(one["start"], other["start"]) > TOGETHER_S
        and alike(one["raw_text"], other["raw_text"]) > ALIKE
    ]
    assert twice == []
    for role, other in (("agent", "customer"), ("customer", "agent")):
        assert alike(said_by(leaked, role), said_by(clean, role)) > 0.9
        assert alike(said_by(leaked, role), said_by(clean, role)) > alike(said_by(leaked, role), said_by(clean, other))
    assert {one["reason"] for one in leaked["processing"]["dropped"]} >= {"bleed"}
