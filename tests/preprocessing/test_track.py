"""A track gives back what was written, wherever it is read."""

import gc
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscope_preprocessing.audio import Audio
from callscope_preprocessing.errors import StorageFull
from callscope_preprocessing.resample import resample, resample_track
from callscope_preprocessing.track import TrackWriter, track_of, tracks_of


def noise(samples: int) -> np.ndarray:
    return np.random.default_rng(samples).integers(-(1 << 15), 1 << 15, samples, np.int16)


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@given(st.lists(st.integers(0, 200), max_size=5), st.integers(-10, 600), st.integers(-10, 600))
def test_any_stretch_is_what_was_written_there(sizes: list[int], first: int, end: int) -> None:
    pcm = noise(sum(sizes))
    writer = TrackWriter(8_000)
    for part in np.split(pcm, np.cumsum(sizes)[:-1]) if sizes else []:
        writer.write(part)
    start = max(first, 0)
    assert (writer.finish().read(first, end) == pcm[start : max(end, start)]).all()


def test_blocks_joined_are_the_whole() -> None:
    pcm = noise(70_001)
    blocks = list(track_of(pcm, 1_000).blocks(10.0))
    assert [len(block) for block in blocks] == [10_000] * 7 + [1]
    assert (np.concatenate(blocks) == pcm).all()


def test_an_empty_track_has_no_blocks() -> None:
    track = track_of(np.zeros(0, np.int16), 8_000)
    assert list(track.blocks()) == []
    assert track.duration_s == 0


def test_each_channel_becomes_a_track() -> None:
    left, right = tracks_of(Audio(np.array([[0.5, -0.5], [0.25, 0.0]], np.float32), 8_000))
    assert left.read().tolist() == [16384, -16384]
    assert right.read().tolist() == [8192, 0]


def test_the_file_goes_with_the_track() -> None:
    gc.collect()
    before = open_files()
    track = track_of(noise(10), 8_000)
    assert open_files() == before + 1
    del track
    gc.collect()
    assert open_files() == before


def test_a_full_disk_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = TrackWriter(8_000)
    full = os.open("/dev/full", os.O_WRONLY)
    monkeypatch.setattr(writer._shelf, "number", full)
    try:
        with pytest.raises(StorageFull, match="TMPDIR"):
            writer.write(noise(10))
    finally:
        os.close(full)


@pytest.mark.parametrize(("rate_hz", "to_hz"), [(8_000, 16_000), (44_100, 16_000), (16_000, 8_000), (11_025, 48_000)])
def test_resampling_in_blocks_gives_what_resampling_at_once_does(rate_hz: int, to_hz: int) -> None:
    pcm = noise(rate_hz * 65)
    whole = resample(Audio(pcm[np.newaxis].astype(np.float32) / 32768, rate_hz), to_hz)
    made = resample_track(track_of(pcm, rate_hz), to_hz)
    assert made.samples == round(len(pcm) * to_hz / rate_hz)
    expected = np.rint(whole.samples[0] * 32768)[: made.samples]
    assert np.abs(made.read()[: len(expected)] - np.clip(expected, -32768, 32767)).max() <= 1


def test_a_track_at_the_right_rate_is_left_alone() -> None:
    track = track_of(noise(100), 8_000)
    assert resample_track(track, 8_000) is track
