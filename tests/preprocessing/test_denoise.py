"""Denoised sound is as long as the original, in time with it, and the same however many work on it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from callscope_preprocessing import denoise as stage
from callscope_preprocessing.audio import Span
from callscope_preprocessing.denoise import denoise
from callscope_preprocessing.extras import PackageMissing, file_of_package
from callscope_preprocessing.noise import estimate_snr_db, needs_denoising
from callscope_preprocessing.pcm import to_int16
from callscope_preprocessing.rnnoise import suppress_noise
from callscope_preprocessing.track import Track, track_of
from callscope_preprocessing.vad import detect_speech

Voice = Callable[..., NDArray[np.float32]]


def noisy(voice: Voice, seconds: float, rate_hz: int, snr_db: float = 15.0) -> Track:
    speech = voice(seconds, rate_hz, peak=0.3)
    scale = np.sqrt((speech**2).mean() / 10 ** (snr_db / 10))
    noise = np.random.default_rng(3).normal(0, scale, len(speech))
    return track_of(to_int16((speech + noise).astype(np.float32)), rate_hz)


def lag_s(late: NDArray[np.int16], early: NDArray[np.int16], rate_hz: int) -> float:
    """How much later one sound is than another: the peak of their correlation."""
    size = 2 * len(late)
    like = np.fft.irfft(np.fft.rfft(late.astype(float), size) * np.conj(np.fft.rfft(early.astype(float), size)))
    place = int(np.argmax(like))
    return (place if place < len(late) else place - size) / rate_hz


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 44_100, 48_000])
def test_length_and_time_are_kept(voice: Voice, rate_hz: int) -> None:
    track = noisy(voice, 3.01, rate_hz)
    made = denoise(track)
    assert (made.rate_hz, made.samples) == (rate_hz, track.samples)
    assert abs(lag_s(made.read(), track.read(), rate_hz)) <= 0.001


def test_noise_is_quieter(voice: Voice) -> None:
    speech = noisy(voice, 4, 16_000).read()
    noise = to_int16(np.random.default_rng(1).normal(0, 0.02, 5 * 16_000).astype(np.float32))
    made = denoise(track_of(np.concatenate([noise, speech]), 16_000)).read()
    hushed = made[2 * 16_000 : 4 * 16_000].astype(float).std()
    assert hushed <= 0.2 * noise.std()


def test_two_workers_make_what_one_makes(voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "SHORTEST_PART_S", 2)
    track = noisy(voice, 9.3, 8_000)
    assert (denoise(track, workers=1).read() == denoise(track, workers=2).read()).all()


def test_joins_are_not_heard(demo_calls: object, monkeypatch: pytest.MonkeyPatch) -> None:
    samples, rate_hz = soundfile.read(f"{demo_calls}/en.wav", dtype="int16")
    track = track_of(samples[: 25 * rate_hz, 0], rate_hz)
    whole = denoise(track).read().astype(float)
    monkeypatch.setattr(stage, "SHORTEST_PART_S", 7)
    difference = denoise(track).read() - whole
    assert (difference**2).sum() <= 1e-3 * (whole**2).sum()


def test_no_sound_gives_no_sound() -> None:
    assert denoise(track_of(np.zeros(0, np.int16), 8_000)).samples == 0


@pytest.mark.parametrize("size", [1, 479, 480, 1_439, 100_000])
def test_sound_may_come_in_blocks_of_any_size(voice: Voice, size: int) -> None:
    sound = noisy(voice, 0.5, 48_000).read().astype(np.float32)
    whole = np.concatenate(list(suppress_noise([sound])))
    pieces = [sound[first : first + size] for first in range(0, len(sound), size)]
    assert len(whole) == len(sound)
    assert np.array_equal(np.concatenate(list(suppress_noise(pieces))), whole)


@pytest.mark.parametrize("samples", [0, 1, 479, 961])
def test_the_shortest_sound_keeps_its_length(samples: int) -> None:
    assert sum(map(len, suppress_noise([np.ones(samples, np.float32)]))) == samples


@pytest.mark.parametrize("snr_db", [0.0, 5.0, 10.0, 20.0])
def test_the_ratio_is_estimated_within_3_db(voice: Voice, snr_db: float) -> None:
    speech = np.concatenate([np.zeros(16_000), voice(4, 8_000, peak=0.3), np.zeros(16_000)])
    power = (speech[16_000:-16_000] ** 2).mean()
    noise = np.random.default_rng(2).normal(0, np.sqrt(power / 10 ** (snr_db / 10)), len(speech))
    track = track_of(to_int16((speech + noise).astype(np.float32)), 8_000)
    assert estimate_snr_db(track, [Span(2, 6)]) == pytest.approx(snr_db, abs=3)


def test_noise_that_is_taken_for_speech_is_noise_all_the_same(voice: Voice) -> None:
    speech = np.concatenate([np.zeros(40_000), voice(4, 8_000, peak=0.3), np.zeros(40_000)])
    scale = np.sqrt((speech[40_000:-40_000] ** 2).mean() / 10**0.5)  # 5 dB
    come_and_go = np.repeat([1.0, 0.5], 4_000)
    noise = np.random.default_rng(4).normal(0, scale, len(speech)) * np.resize(come_and_go, len(speech))
    noise[-4_000:] = 0  # half a second in which nothing is heard, the only one that is not called speech
    track = track_of(to_int16((speech + noise).astype(np.float32)), 8_000)
    assert needs_denoising(estimate_snr_db(track, [Span(0, track.duration_s - 0.5)]))


def test_dense_speech_on_a_clean_line_needs_no_denoising(demo_calls: object) -> None:
    samples, rate_hz = soundfile.read(f"{demo_calls}/en.wav", dtype="int16")
    found = detect_speech(track_of(samples[:, 0], rate_hz)).spans
    spoken = [samples[round(one.start_s * rate_hz) : round(one.end_s * rate_hz), 0] for one in found]
    track = track_of(np.concatenate(spoken), rate_hz)
    assert not needs_denoising(estimate_snr_db(track, [Span(0, track.duration_s)]))


def test_silence_has_no_ratio_and_needs_no_denoising() -> None:
    assert estimate_snr_db(track_of(np.zeros(8_000, np.int16), 8_000), []) is None
    assert estimate_snr_db(track_of(np.zeros(0, np.int16), 8_000), []) is None
    assert not needs_denoising(None)


def test_noisy_speech_needs_it_and_clean_speech_does_not() -> None:
    assert needs_denoising(3.0)
    assert not needs_denoising(30.0)


def test_what_is_missing_is_said_with_how_to_get_it() -> None:
    with pytest.raises(PackageMissing, match=r"pip install 'callscope\[denoise\]'"):
        file_of_package(("no_such_package",), "x.so", purpose="Denoising", extra="denoise")
