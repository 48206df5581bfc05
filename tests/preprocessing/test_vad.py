from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from callscope_preprocessing.audio import Audio, Span
from callscope_preprocessing.resample import resample
from callscope_preprocessing.track import tracks_of
from callscope_preprocessing.vad import VadSettings, detect_speech

Voice = Callable[..., NDArray[np.float32]]
RATES_HZ = [8000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000]


def spans_of(audio: Audio, settings: VadSettings = VadSettings()) -> tuple[Span, ...]:  # noqa: B008  frozen
    (track,) = tracks_of(audio)
    return detect_speech(track, settings).spans


def mono(samples: NDArray[np.float32], rate_hz: int = 8000) -> Audio:
    return Audio(samples[np.newaxis].astype(np.float32), rate_hz)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_speech_is_found_where_it_is_at_any_rate(call: Audio, rate_hz: int) -> None:
    (span,) = spans_of(resample(call, rate_hz))
    assert 2.7 < span.start_s <= 3.05
    assert 4.9 <= span.end_s < 5.5


@pytest.mark.parametrize("frame_ms", [10, 20, 30])
@pytest.mark.parametrize("mode", [0, 1, 2, 3])
def test_every_mode_and_frame_length_finds_it(call: Audio, mode: int, frame_ms: int) -> None:
    spans = spans_of(call, VadSettings(mode=mode, frame_ms=frame_ms))
    assert spans[0].start_s <= 3.05
    assert spans[-1].end_s >= 4.9


def test_the_same_sound_gives_the_same_spans(call: Audio) -> None:
    assert spans_of(call) == spans_of(call)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_digital_silence_is_no_speech(rate_hz: int) -> None:
    assert spans_of(mono(np.zeros(5 * rate_hz, np.float32), rate_hz)) == ()


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 44_100])
@pytest.mark.parametrize("level", [0.001, 0.02, 0.3])
def test_white_noise_is_no_speech(rate_hz: int, level: float) -> None:
    noise = np.random.default_rng(5).normal(0, level, 20 * rate_hz).clip(-1, 1)
    assert spans_of(mono(noise, rate_hz)) == ()


@pytest.mark.parametrize("tones_hz", [(440,), (1000,), (440, 480), (350, 440), (300, 600, 1200)])
def test_tones_are_no_speech(tones_hz: tuple[int, ...]) -> None:
    time = np.arange(10 * 8000) / 8000
    assert spans_of(mono(sum(0.2 * np.sin(2 * np.pi * tone * time) for tone in tones_hz))) == ()


def test_without_the_rejection_of_steady_sound_noise_would_be_speech() -> None:
    noise = np.random.default_rng(5).normal(0, 0.1, 80_000)
    spans = spans_of(mono(noise), VadSettings(reject_steady=False))
    assert sum(span.duration_s for span in spans) > 9


@pytest.mark.parametrize("length_s", [0.25, 0.4, 2.0])
def test_a_word_over_steady_noise_is_speech(voice: Voice, length_s: float) -> None:
    samples = np.random.default_rng(2).normal(0, 0.01, 80_000)
    word = voice(length_s + 0.5, 8000)[: round(length_s * 8000)]
    samples[32_000 : 32_000 + len(word)] += word
    (span,) = spans_of(mono(samples))
    assert span.start_s <= 4.06
    assert span.end_s >= 4.0 + min(length_s, 0.2)


def test_sound_under_the_floor_is_no_speech(call: Audio) -> None:
    assert spans_of(Audio(call.samples * 10 ** (-30 / 20), 8000), VadSettings(floor_db=-30)) == ()


def test_short_pauses_are_joined_and_long_ones_are_not(voice: Voice) -> None:
    def pause(seconds: float) -> int:
        samples = np.concatenate([voice(2, 8000), np.zeros(round(seconds * 8000), np.float32), voice(2, 8000)])
        return len(spans_of(mono(samples), VadSettings(padding_s=0, min_silence_s=0.6)))

    assert pause(0.1) == 1
    assert pause(2.0) == 2


def test_shorter_speech_than_the_minimum_is_left_out(call: Audio) -> None:
    assert spans_of(call, VadSettings(min_speech_s=3)) == ()


def test_padding_widens_speech_and_stays_within_the_sound(voice: Voice) -> None:
    audio = mono(voice(2, 8000))
    assert spans_of(audio, VadSettings(padding_s=1)) == (Span(0, 2.0),)


def test_padding_is_added_at_both_ends(call: Audio) -> None:
    (bare,) = spans_of(call, VadSettings(padding_s=0))
    (padded,) = spans_of(call, VadSettings(padding_s=0.2))
    assert bare.start_s - padded.start_s == pytest.approx(0.2)
    assert padded.end_s - bare.end_s == pytest.approx(0.2)


@pytest.mark.parametrize("frames", [0, 1, 239, 241])
def test_hardly_any_sound_is_no_speech(frames: int) -> None:
    assert spans_of(mono(np.zeros(frames, np.float32))) == ()


@settings(max_examples=40, deadline=None)
@given(
    hnp.arrays(np.float32, st.integers(1, 80), elements=st.sampled_from([0.0, 0.01, 0.3])),
    st.sampled_from([8000, 16_000, 12_345]),
    st.floats(0, 0.5),
)
def test_spans_are_in_order_apart_and_within_the_sound(
    levels: NDArray[np.float32], rate_hz: int, padding_s: float
) -> None:
    noise = np.random.default_rng(0).normal(0, 1, len(levels) * 1000).clip(-1, 1)
    audio = mono(np.repeat(levels, 1000) * noise, rate_hz)
    spans = spans_of(audio, VadSettings(padding_s=padding_s, reject_steady=False, min_speech_s=0))
    assert all(0 <= span.start_s < span.end_s <= audio.duration_s for span in spans)
    assert all(first.end_s < second.start_s for first, second in pairwise(spans))


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": 4},
        {"frame_ms": 25},
        {"open_share": 0.1, "close_share": 0.5},
        {"open_share": 1.5},
        {"padding_s": -1.0},
        {"detector": "ear"},
        {"probability": 1.5},
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="VAD"):
        VadSettings(**wrong)
