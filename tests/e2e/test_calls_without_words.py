"""Silence, noise and tones are calls like others: they end well, and nobody is put words into the mouth."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from .running import run

RATE_HZ = 8000
LENGTH_S = 12
TIME_S = np.arange(LENGTH_S * RATE_HZ) / RATE_HZ


def white_noise(level_db: float) -> NDArray[np.float64]:
    return np.random.default_rng(5).normal(0, 10 ** (level_db / 20), TIME_S.size).clip(-1, 1)


def tone(*frequencies_hz: float) -> NDArray[np.float64]:
    return 0.3 * sum(np.sin(2 * np.pi * hz * TIME_S) for hz in frequencies_hz)


SOUNDS = {
    "silence": np.zeros(TIME_S.size),
    **{f"noise_{-level}_db": white_noise(level) for level in (-70, -50, -40, -30, -20, -10)},
    "tone_440_hz": tone(440),
    "ring_back": tone(440, 480) * (TIME_S % 6 < 2),
    "busy": tone(480, 620) * (TIME_S % 1 < 0.5),
    "dial_tone": tone(350, 440),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, server: tuple[str, str]) -> Path:
    """The folder of what one command makes of all the sounds."""
    folder = tmp_path_factory.mktemp("sounds")
    for name, samples in SOUNDS.items():
        soundfile.write(folder / f"{name}.wav", samples, RATE_HZ)
    ended = run("analyze", *sorted(folder.glob("*.wav")), "--output", "results/", *server, cwd=folder)
    assert (ended.code, ended.left) == (0, ()), ended.stderr
    return folder / "results"


@pytest.mark.parametrize("name", SOUNDS)
def test_it_is_a_valid_call_in_which_nothing_is_said(name: str, results: Path, validate: Callable[[Any], None]) -> None:
    result = json.loads((results / f"{name}.json").read_text(encoding="utf-8"))
    validate(result)
    assert [segment["text"] for segment in result["segments"]] == []
    assert result["call"]["duration"] == LENGTH_S
