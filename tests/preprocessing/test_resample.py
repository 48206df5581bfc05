from __future__ import annotations

import numpy as np
import pytest

from callscope_preprocessing.audio import Audio
from callscope_preprocessing.resample import resample


def tone(frequency_hz: float, rate_hz: int, seconds: float = 1.0) -> np.ndarray:
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * frequency_hz * time)).astype(np.float32)


@pytest.mark.parametrize("source_hz", [8000, 11_025, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("target_hz", [8000, 16_000, 48_000])
def test_each_channel_keeps_its_tone_its_level_and_its_time(source_hz: int, target_hz: int) -> None:
    audio = resample(Audio(np.stack([tone(440, source_hz), tone(1000, source_hz)]), source_hz), target_hz)
    assert audio.rate_hz == target_hz
    assert audio.samples.dtype == np.float32
    assert audio.duration_s == pytest.approx(1.0, abs=1 / target_hz)
    middle = slice(target_hz // 4, target_hz * 3 // 4)
    for channel, frequency_hz in zip(audio.samples, (440, 1000), strict=True):
        assert np.abs(channel[middle] - tone(frequency_hz, target_hz)[middle]).max() < 1e-3


def test_what_the_new_rate_cannot_hold_is_filtered_out_and_not_folded_back() -> None:
    audio = resample(Audio(tone(6000, 16_000)[np.newaxis], 16_000), 8000)
    assert np.abs(audio.samples[0, 2000:6000]).max() < 1e-3


def test_the_same_rate_is_the_same_audio() -> None:
    audio = Audio(tone(440, 8000)[np.newaxis], 8000)
    assert resample(audio, 8000) is audio


def test_full_scale_is_not_exceeded() -> None:
    square = np.sign(tone(100, 8000))[np.newaxis]
    assert np.abs(resample(Audio(square, 8000), 16_000).samples).max() <= 1.0


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_hardly_any_sound_is_no_error(frames: int) -> None:
    audio = resample(Audio(np.zeros((2, frames), np.float32), 8000), 16_000)
    assert audio.channels == 2
    assert abs(audio.samples.shape[1] - 2 * frames) <= 1


@pytest.mark.parametrize("rate_hz", [0, -8000])
def test_an_impossible_rate_is_refused(rate_hz: int) -> None:
    with pytest.raises(ValueError, match="Give a positive one"):
        resample(Audio(np.zeros((1, 10), np.float32), 8000), rate_hz)
