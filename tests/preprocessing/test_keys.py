from __future__ import annotations

import numpy as np
import pytest
import soundfile

from callscope_preprocessing.audio import Audio, Span
from callscope_preprocessing.keys import HIGH_HZ, LOW_HZ, key_frames
from callscope_preprocessing.pcm import to_int16
from callscope_preprocessing.track import tracks_of
from callscope_preprocessing.vad import VadSettings, detect_speech


def spans_of(audio: Audio, settings: VadSettings = VadSettings()) -> tuple[Span, ...]:  # noqa: B008  frozen
    (track,) = tracks_of(audio)
    return detect_speech(track, settings).spans


def frames(*tones_hz: float, rate_hz: int = 8000) -> np.ndarray:
    """A second of tones at once, as frames of 30 ms."""
    time_s = np.arange(rate_hz) / rate_hz
    samples = sum(0.2 * np.sin(2 * np.pi * hz * time_s) for hz in tones_hz)
    size = rate_hz * 30 // 1000
    return to_int16(np.asarray(samples, np.float32)[: rate_hz // size * size]).reshape(-1, size)


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 48_000])
@pytest.mark.parametrize("low_hz", LOW_HZ)
@pytest.mark.parametrize("high_hz", HIGH_HZ)
def test_every_key_is_known_at_every_rate(low_hz: float, high_hz: float, rate_hz: int) -> None:
    assert key_frames(frames(low_hz, high_hz, rate_hz=rate_hz), rate_hz).all()


@pytest.mark.parametrize("tones_hz", [(697,), (440, 480), (697, 770), (600, 1209), (697, 1209, 2000), (261, 329, 392)])
def test_other_tones_are_no_keys(tones_hz: tuple[float, ...]) -> None:
    assert not key_frames(frames(*tones_hz), 8000).any()


def test_silence_and_nothing_are_no_keys() -> None:
    assert not key_frames(np.zeros((10, 240), np.int16), 8000).any()
    assert key_frames(np.zeros((0, 240), np.int16), 8000).shape == (0,)


@pytest.mark.parametrize("presses_a_second", [2, 4, 6])
def test_dialling_is_no_speech(presses_a_second: int) -> None:
    time_s = np.arange(12 * 8000) / 8000
    press = (time_s * presses_a_second).astype(int)
    low, high = np.array(LOW_HZ)[press * 7 % 4], np.array(HIGH_HZ)[press * 5 % 3]
    sound = 0.2 * (np.sin(2 * np.pi * low * time_s) + np.sin(2 * np.pi * high * time_s))
    dialled = (sound * (time_s * presses_a_second % 1 < 0.5)).astype(np.float32)
    assert spans_of(Audio(dialled[np.newaxis], 8000)) == ()


@pytest.mark.parametrize("language", ["en", "ja", "ko"])
def test_speech_keeps_every_span(demo_calls: object, language: str) -> None:
    samples, rate_hz = soundfile.read(f"{demo_calls}/{language}.wav", dtype="float32")
    size = rate_hz * 30 // 1000
    for channel in samples.T:
        assert key_frames(to_int16(channel[: len(channel) // size * size]).reshape(-1, size), rate_hz).mean() < 0.001
        assert spans_of(Audio(channel[np.newaxis], rate_hz))
