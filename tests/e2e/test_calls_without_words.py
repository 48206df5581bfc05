"""Silence, noise, tones and music are calls like others: they end well, and nobody is put words into the mouth."""

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


def music(beat_s: float, chords: tuple[tuple[float, ...], ...]) -> NDArray[np.float64]:
    """Chords one after the other, each struck and dying away, with two overtones."""
    beat = (TIME_S / beat_s).astype(int) % len(chords)
    parts = [tone(*chord, *(2 * hz for hz in chord), *(3 * hz for hz in chord)) for chord in chords]
    return 0.3 * np.choose(beat, parts) * np.exp(-3 * (TIME_S % beat_s) / beat_s)


def warble(low_hz: float, high_hz: float, times_a_second: float) -> NDArray[np.float64]:
    """A tone that goes up and down."""
    hz = low_hz + (high_hz - low_hz) * (1 + np.sin(2 * np.pi * times_a_second * TIME_S)) / 2
    return 0.3 * np.sin(2 * np.pi * np.cumsum(hz) / RATE_HZ)


def clicks(times_a_second: float) -> NDArray[np.float64]:
    return white_noise(-12) * (TIME_S * times_a_second % 1 < 0.02)


C, D, E, F, G, A = 261.6, 293.7, 329.6, 349.2, 392.0, 440.0

SOUNDS = {
    "silence": np.zeros(TIME_S.size),
    **{f"noise_{-level}_db": white_noise(level) for level in (-70, -50, -40, -30, -20, -10)},
    "tone_440_hz": tone(440),
    "ring_back": tone(440, 480) * (TIME_S % 6 < 2),
    "busy": tone(480, 620) * (TIME_S % 1 < 0.5),
    "dial_tone": tone(350, 440),
    "japanese_ring_back": tone(385, 415) * (TIME_S % 3 < 1),
    "keys": np.choose((TIME_S * 4).astype(int) % 2, [tone(697, 1209), tone(852, 1477)]) * (TIME_S * 4 % 1 < 0.5),
    "fax": tone(1100) * (TIME_S % 3.5 < 0.5),
    "clicks": clicks(3),
    "chords": music(1.5, ((C, E, G), (F, A, 2 * C), (G, 2 * D, F), (C, E, G))),
    "melody": music(0.4, ((C,), (E,), (G,), (A,), (G,), (E,), (D,), (C,))),
    "siren": warble(500, 1500, 0.5),
    "vibrato": warble(430, 450, 5),
    "hum": 0.1 * tone(50, 100, 150),
    "music_over_noise": music(0.8, ((C, E), (D, F), (E, G))) + white_noise(-40),
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
