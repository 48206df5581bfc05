"""A step that cannot do all it should: the call goes on without, unless it is required."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from callscope.errors import RequestFailed, SettingsInvalid, StepFellBack
from callscope.pipeline import analyze
from callscope.settings import Settings, load_settings
from callscope.triton.fake import FakeTransport

MakeServer = Callable[..., FakeTransport]
RATE_HZ = 8_000
GONE = RequestFailed("fake://callscope", "sentiment", "CUDA failure 999")


@pytest.fixture
def noisy(tmp_path: Path) -> Path:
    """Something like speech in noise of its own loudness."""
    rng, seconds = np.random.default_rng(1), 8
    time_s = np.arange(seconds * RATE_HZ) / RATE_HZ
    voiced = sum(np.sin(2 * np.pi * 130 * harmonic * time_s) / harmonic for harmonic in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 3.1 * time_s), 0, 1) * (np.sin(2 * np.pi * 0.2 * time_s) > 0)
    samples = 0.2 * voiced * syllables + 0.1 * rng.standard_normal(len(time_s))
    soundfile.write(tmp_path / "call.wav", samples.astype(np.float32), RATE_HZ)
    return tmp_path / "call.wav"


def break_rnnoise(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> ctypes.CDLL:
        raise OSError("librnnoise.so: wrong ELF class")

    monkeypatch.setattr("callscope_preprocessing.rnnoise._library", load)


@pytest.mark.asyncio
async def test_a_denoiser_that_does_not_load_costs_its_step_only(
    noisy: Path, made_up_server: MakeServer, heard: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    break_rnnoise(monkeypatch)
    call = await analyze(noisy, made_up_server(heard("hello there")), Settings(diarize="off"))
    (step,) = (step for step in call.processing.steps if step.name == "denoise")
    assert (step.status, step.error) == ("failed", "OSError: librnnoise.so: wrong ELF class")
    assert call.processing.degraded == ("denoise",)


@pytest.mark.asyncio
async def test_a_denoiser_that_was_asked_for_by_name_is_the_error(
    noisy: Path, made_up_server: MakeServer, heard: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    break_rnnoise(monkeypatch)
    with pytest.raises(OSError, match="wrong ELF class"):
        await analyze(noisy, made_up_server(heard("hello there")), Settings(diarize="off", denoise="all"))


@pytest.mark.asyncio
@pytest.mark.parametrize("required", ["sentiment", "words, sentiment", "all"])
async def test_a_step_that_is_required_is_the_error_where_its_model_fails(
    noisy: Path, made_up_server: MakeServer, heard: Callable[..., Any], required: str
) -> None:
    server = made_up_server(heard("hello there"), answers={"sentiment": GONE})
    with pytest.raises(StepFellBack, match=r"step sentiment fell back \(.*CUDA failure 999.*leave sentiment out of"):
        await analyze(noisy, server, Settings(diarize="off", denoise="off", require=required))


@pytest.mark.asyncio
async def test_a_step_that_is_required_is_the_error_where_its_model_is_missing(
    noisy: Path, made_up_server: MakeServer, heard: Callable[..., Any]
) -> None:
    server = made_up_server(heard("hello there"), without=("punctuate",))
    with pytest.raises(StepFellBack, match="step punctuate fell back"):
        await analyze(noisy, server, Settings(diarize="off", denoise="off", require="punctuate"))


@pytest.mark.asyncio
async def test_what_is_not_required_may_fall_back(
    noisy: Path, made_up_server: MakeServer, heard: Callable[..., Any]
) -> None:
    server = made_up_server(heard("hello there"), answers={"sentiment": GONE})
    call = await analyze(noisy, server, Settings(diarize="off", denoise="off", require="punctuate,words"))
    assert call.processing.degraded == ("sentiment",)


def test_a_step_that_cannot_fall_back_cannot_be_required() -> None:
    with pytest.raises(SettingsInvalid, match="there is no step decode that can fall back"):
        load_settings({"require": "words,decode"})
