"""Small files of much sound, wide files, and standard input without an end: each meets a limit that has a name."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from callscope_preprocessing.errors import (
    AudioEmpty,
    AudioError,
    AudioTooLarge,
    AudioTooLong,
    AudioUnreadable,
    AudioUnsupported,
)
from callscope_preprocessing.limits import Limits
from callscope_preprocessing.sound import read_sound
from callscope_preprocessing.source import STANDARD_INPUT

RATE_HZ = 8_000


@pytest.fixture
def minutes(tmp_path: Path) -> Path:
    """Ten minutes of silence in a few kilobytes."""
    path = tmp_path / "long.flac"
    soundfile.write(path, np.zeros(600 * RATE_HZ, np.int16), RATE_HZ)
    assert path.stat().st_size < 50_000
    return path


def test_a_bomb_stops_at_the_length(minutes: Path) -> None:
    assert read_sound(minutes, limits=Limits(duration_s=600)).duration_s == 600
    with pytest.raises(AudioTooLong, match=r"longer than 9 min.*\(max_duration_s\)"):
        read_sound(minutes, limits=Limits(duration_s=540))


def test_a_bomb_stops_at_the_bytes_of_its_sound(minutes: Path) -> None:
    assert read_sound(minutes, limits=Limits(bytes=600 * RATE_HZ * 2)).duration_s == 600
    with pytest.raises(AudioTooLarge, match=r"1 channels of 8,000 samples.*\(max_bytes\)"):
        read_sound(minutes, limits=Limits(bytes=600 * RATE_HZ * 2 - 1))


def test_a_gap_of_days_between_two_timestamps_stops_at_the_length(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "gap.mka"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono")
        for at_s in (0, 10 * 24 * 3600):
            frame = av.AudioFrame.from_ndarray(np.ones((1, 800), np.int16), "s16", "mono")
            frame.rate, frame.pts = RATE_HZ, at_s * RATE_HZ
            container.mux(stream.encode(frame))
    with pytest.raises(AudioTooLong):
        read_sound(tmp_path / "gap.mka", limits=Limits(duration_s=600))


def test_a_large_file_is_not_even_opened(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    soundfile.write(path, np.zeros(RATE_HZ), RATE_HZ)
    assert read_sound(path, limits=Limits(bytes=path.stat().st_size)).duration_s == 1
    with pytest.raises(AudioTooLarge, match=r"call\.wav is larger than 15,999 bytes.*\(max_bytes\)"):
        read_sound(path, limits=Limits(bytes=15_999))


def test_channels_have_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    soundfile.write(path, np.zeros((RATE_HZ, 5)), RATE_HZ)
    assert len(read_sound(path, limits=Limits(channels=5)).tracks) == 5
    with pytest.raises(AudioUnsupported, match=r"has 5 channels, and at most 4 are read \(max_channels\)"):
        read_sound(path, limits=Limits(channels=4))


def test_rates_have_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    soundfile.write(path, np.zeros(48_000), 48_000)
    with pytest.raises(AudioUnsupported, match=r"has 48,000 samples a second, and a call has 4,000 to 44,100"):
        read_sound(path, limits=Limits(rate_hz=44_100))


@contextmanager
def standard_input(write: Callable[[int], object]) -> Iterator[None]:
    """Make a pipe the process's standard input, into which a thread writes."""

    def feed() -> None:
        try:
            write(inlet)
        except BrokenPipeError:
            pass
        finally:
            os.close(inlet)

    outlet, inlet = os.pipe()
    before = os.dup(0)
    os.dup2(outlet, 0)
    os.close(outlet)
    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield
    finally:
        os.dup2(before, 0)
        os.close(before)
        thread.join()


def whole(content: bytes) -> Callable[[int], None]:
    def write(inlet: int) -> None:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(inlet, rest[:10_007]) :]

    return write


@pytest.mark.parametrize("name", ["call.wav", "call.m4a"])
def test_standard_input_is_the_same_recording(tmp_path: Path, encode: Callable[..., Path], name: str) -> None:
    pcm = np.random.default_rng(0).integers(-9_000, 9_000, (2, 60_000)).astype(np.int16)
    path = encode(tmp_path / name, pcm, "aac" if name.endswith("m4a") else "pcm_mulaw", RATE_HZ)
    expected = read_sound(path)
    with standard_input(whole(path.read_bytes())):
        sound = read_sound(STANDARD_INPUT)
    assert (sound.sha256, sound.codec, sound.rate_hz) == (expected.sha256, expected.codec, expected.rate_hz)
    for track, other in zip(sound.tracks, expected.tracks, strict=True):
        assert (track.read() == other.read()).all()


def test_standard_input_without_an_end_stops_at_the_limit() -> None:
    def endless(inlet: int) -> None:
        while True:
            os.write(inlet, bytes(1 << 16))

    with (
        standard_input(endless),
        pytest.raises(AudioTooLarge, match=r"^standard input is larger than 3,000,000 bytes.*\(max_bytes\)"),
    ):
        read_sound(STANDARD_INPUT, limits=Limits(bytes=3_000_000))


def test_standard_input_without_anything_is_empty() -> None:
    with standard_input(whole(b"")), pytest.raises(AudioEmpty, match=r"^standard input is empty"):
        read_sound(STANDARD_INPUT)


def test_standard_input_that_is_cut_names_no_file_to_repair(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "call.wav", np.zeros(RATE_HZ), RATE_HZ)
    content = (tmp_path / "call.wav").read_bytes()[:9_000]
    with (
        standard_input(whole(content)),
        pytest.raises(AudioError, match=r"is there\. Fetch it again from its source\.$"),
    ):
        read_sound(STANDARD_INPUT)


def test_a_directory_as_standard_input(tmp_path: Path) -> None:
    folder, before = os.open(tmp_path, os.O_RDONLY), os.dup(0)
    os.dup2(folder, 0)
    try:
        with pytest.raises(AudioUnreadable, match="Standard input cannot be read"):
            read_sound(STANDARD_INPUT)
    finally:
        os.dup2(before, 0)
        for number in (folder, before):
            os.close(number)


def test_a_terminal_as_standard_input_is_not_waited_for() -> None:
    controller, terminal = os.openpty()
    before = os.dup(0)
    os.dup2(terminal, 0)
    try:
        with pytest.raises(AudioUnreadable, match="is a terminal"):
            read_sound(STANDARD_INPUT)
    finally:
        os.dup2(before, 0)
        for number in (controller, terminal, before):
            os.close(number)
