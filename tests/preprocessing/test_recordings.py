"""Real recordings, that hold speech which must not be lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from callscope_preprocessing.audio import Audio, Span
from callscope_preprocessing.channels import distinct_channels
from callscope_preprocessing.decode import decode
from callscope_preprocessing.resample import resample
from callscope_preprocessing.track import tracks_of
from callscope_preprocessing.vad import VadSettings, detect_speech
from callscope_preprocessing.windows import pack

SPEECH = [
    "calls/Auto_Repairs_40_UTC_agent.wav",
    "calls/Auto_Repairs_40_UTC_caller.wav",
    "calls/commercial_mono.wav",
    "calls/en_narrowband.wav",
    "calls/ja_narrowband.wav",
    "calls/ko_narrowband.wav",
    "calls/two_channel_16k.wav",
    "diarization/sample.wav",
    "diarization/three_speakers.wav",
    "diarization/trn05.wav",
    "speech/en_training_audio1.wav",
    "speech/ja_testing_audio.wav",
    "speech/ko_training_audio1.wav",
    "speech/jfk.flac",
    "speech/leopard_ja.wav",
    "speech/leopard_ko.wav",
]
STEP_HZ = 100
TELEPHONE_FLOOR_DB = -60


def spans_of(audio: Audio, settings: VadSettings = VadSettings()) -> tuple[Span, ...]:  # noqa: B008  frozen
    (track,) = tracks_of(audio)
    return detect_speech(track, settings).spans


def steps(spans: tuple[Span, ...] | list[Span], count: int) -> NDArray[np.bool_]:
    """Whether each hundredth of a second is in a span."""
    inside = np.zeros(count, bool)
    for span in spans:
        inside[int(span.start_s * STEP_HZ) : int(span.end_s * STEP_HZ)] = True
    return inside


def levels_db(audio: Audio) -> NDArray[np.float64]:
    """Level of each hundredth of a second."""
    size = audio.rate_hz // STEP_HZ
    samples = audio.samples[0, : audio.samples.shape[1] // size * size].reshape(-1, size).astype(np.float64)
    return 10 * np.log10((samples**2).mean(axis=1) + 1e-12)


def split_channels(audio: Audio) -> list[Audio]:
    """The channels that differ, one each."""
    kept = distinct_channels(tracks_of(audio))
    return [Audio(audio.samples[index : index + 1], audio.rate_hz) for index in kept]


def reference(path: Path) -> list[Span]:
    rows = [line.split() for line in path.read_text().splitlines() if line.startswith("SPEAKER")]
    return [Span(float(row[3]), float(row[3]) + float(row[4])) for row in rows]


@pytest.mark.parametrize("name", SPEECH)
def test_a_recording_becomes_chunks_of_speech(shared_data: Path, name: str) -> None:
    channels = split_channels(decode(shared_data / name))
    for number, channel in enumerate(channels):
        spans = spans_of(channel)
        assert sum(span.duration_s for span in spans) > 0.3 * channel.duration_s
        chunks = pack(tracks_of(resample(channel, 16_000))[0], spans, channel=number, window_s=8)
        assert sum(chunk.speech_s for chunk in chunks) == pytest.approx(
            sum(span.duration_s for span in spans), abs=0.01
        )
        assert sum(bool(chunk.audio().any()) for chunk in chunks) == len(chunks)


@pytest.mark.parametrize("name", SPEECH)
def test_rejecting_steady_sound_costs_no_speech(shared_data: Path, name: str) -> None:
    for channel in split_channels(decode(shared_data / name)):
        levels = levels_db(channel)
        without = steps(spans_of(channel, VadSettings(reject_steady=False)), len(levels))
        lost = without & ~steps(spans_of(channel), len(levels))
        assert not (lost & (levels > TELEPHONE_FLOOR_DB)).any()


@pytest.mark.parametrize("name", ["calls/ja_narrowband.wav", "calls/ko_narrowband.wav", "calls/en_narrowband.wav"])
def test_over_noise_it_costs_next_to_none(shared_data: Path, name: str) -> None:
    clean = decode(shared_data / name)
    noise_db = 10 * np.log10((clean.samples**2).mean()) - 10
    noise = np.random.default_rng(0).normal(0, 10 ** (noise_db / 20), clean.samples.shape)
    noisy = Audio((clean.samples + noise).astype(np.float32), clean.rate_hz)
    audible = levels_db(clean) > noise_db
    without = steps(spans_of(noisy, VadSettings(reject_steady=False)), len(audible))
    lost = audible & without & ~steps(spans_of(noisy), len(audible))
    assert lost.sum() <= 0.01 * audible.sum()


@pytest.mark.parametrize("name", ["sample", "three_speakers"])
def test_speech_that_people_marked_is_found(shared_data: Path, name: str) -> None:
    audio = decode(shared_data / "diarization" / f"{name}.wav")
    count = int(audio.duration_s * STEP_HZ)
    marked = steps(reference(shared_data / "diarization" / f"{name}.rttm"), count)
    found = steps(spans_of(audio), count)
    assert (marked & ~found).sum() <= 0.02 * marked.sum()
    assert (found & ~marked).sum() <= 0.25 * (~marked).sum()


def test_the_channels_of_a_stereo_file_are_two_people(shared_data: Path) -> None:
    audio = decode(shared_data / "calls/two_channel_16k.wav")
    assert len(split_channels(audio)) == 2


def test_an_upmixed_recording_is_one_channel(shared_data: Path) -> None:
    audio = decode(shared_data / "calls/ko_narrowband.wav")
    assert len(split_channels(replace(audio, samples=np.repeat(audio.samples, 2, axis=0)))) == 1
