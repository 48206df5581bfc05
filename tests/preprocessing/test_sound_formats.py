"""Every format that calls come in gives the sound that went into it: how much of it, in which channel, how like it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from callscope_preprocessing import frames, sndfile
from callscope_preprocessing.errors import AudioError
from callscope_preprocessing.sound import Sound, read_sound

from .conftest import babble
from .likeness import likeness, snr_db

Voice = Callable[..., NDArray[np.float32]]
LENGTH_S = 3.0
LOW_EFFECTS = 3
LOOKED_AT_FIRST = 5_000_000
"""How far FFmpeg looks for tracks, in bytes."""
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


@dataclass(frozen=True)
class Format:
    """A file as FFmpeg writes it.

    Attributes:
        name: its name; the ending chooses the container.
        encoder: FFmpeg's name of the codec.
        rate_hz, channels: of the sound.
        container, codec: what `Sound` calls them.
        snr_db: the least likeness of each channel to what went in; None where the codec keeps the sound and no wave.
        frame: samples in one frame of the codec: how far the length may be off.
        picture: whether there is a video beside it.
        bit_rate: of the encoder; None for its own choice.
        sample: the form of the samples that the encoder takes; None for its own choice.
    """

    name: str
    encoder: str
    rate_hz: int
    channels: int
    container: str
    codec: str
    snr_db: float | None
    frame: int = 0
    picture: bool = False
    bit_rate: int | None = None
    sample: str | None = None


FORMATS = [
    Format("call.wav", "pcm_mulaw", 8_000, 2, "wav", "pcm_mulaw", 30),
    Format("call.wav", "pcm_alaw", 8_000, 2, "wav", "pcm_alaw", 30),
    Format("call.wav", "pcm_u8", 11_025, 1, "wav", "pcm_u8", 25),
    Format("call.wav", "pcm_s16le", 44_100, 2, "wav", "pcm_s16", 90),
    Format("call.wav", "pcm_s24le", 8_000, 2, "wav", "pcm_s24", 80),
    Format("call.wav", "pcm_s32le", 8_000, 1, "wav", "pcm_s32", 80),
    Format("call.wav", "pcm_f32le", 48_000, 2, "wav", "pcm_f32", 80),
    Format("call.wav", "pcm_f64le", 8_000, 1, "wav", "pcm_f64", 80),
    Format("call.wav", "adpcm_ima_wav", 8_000, 1, "wav", "adpcm_ima_wav", 10, 2041),
    Format("call.wav", "adpcm_ms", 8_000, 2, "wav", "adpcm_ms", 12, 2036),
    Format("call.wav", "g722", 16_000, 1, "wav", "adpcm_g722", 15, 320),
    Format("call.wav", "g726", 8_000, 1, "wav", "adpcm_g726", 12, 80),
    Format("call.wav", "g723_1", 8_000, 1, "wav", "g723_1", 10, 480, bit_rate=6_300),
    Format("call.wav", "libmp3lame", 16_000, 1, "wav", "mp3", 10, 1152 * 3),
    Format("call.w64", "pcm_s16le", 8_000, 2, "w64", "pcm_s16", 90),
    Format("call.aiff", "pcm_s16be", 22_050, 2, "aiff", "pcm_s16", 90),
    Format("call.au", "pcm_mulaw", 8_000, 1, "au", "pcm_mulaw", 30),
    Format("call.caf", "pcm_s16be", 8_000, 2, "caf", "pcm_s16", 90),
    Format("call.flac", "flac", 16_000, 2, "flac", "flac", 90),
    Format("call.mp3", "libmp3lame", 8_000, 2, "mp3", "mp3", 10, 576 * 3),
    Format("call.mp3", "libmp3lame", 44_100, 2, "mp3", "mp3", 10, 1152 * 3),
    Format("call.mp2", "mp2", 48_000, 2, "mp3", "mp2", 10, 1152 * 3),
    Format("call.ogg", "libopus", 48_000, 2, "ogg", "opus", 10, 960),
    Format("call.opus", "libopus", 48_000, 1, "ogg", "opus", 10, 960),
    Format("call.webm", "libopus", 48_000, 2, "matroska", "opus", 10, 960),
    Format("call.m4a", "aac", 16_000, 2, "mp4", "aac", 10, 1024 * 2),
    Format("call.m4a", "alac", 16_000, 2, "mp4", "alac", 90),
    Format("call.aac", "aac", 8_000, 1, "aac", "aac", 10, 1024 * 3),
    Format("call.amr", "libopencore_amrnb", 8_000, 1, "amr", "amr_nb", None, 160 * 2, bit_rate=12_200),
    Format("call.3gp", "libopencore_amrnb", 8_000, 1, "mp4", "amr_nb", None, 160 * 2, bit_rate=12_200),
    Format("call.3gp", "aac", 16_000, 1, "mp4", "aac", 10, 1024 * 2),
    Format("call.wma", "wmav2", 16_000, 2, "asf", "wmav2", 10, 2048 * 2, bit_rate=64_000),
    Format("call.ac3", "ac3", 48_000, 6, "ac3", "ac3", 10, 1536 * 2),
    Format("call.wv", "wavpack", 8_000, 2, "wv", "wavpack", 90, sample="s16p"),
    Format("call.tta", "tta", 8_000, 2, "tta", "tta", 90, sample="s16"),
    Format("call.mka", "pcm_s16le", 8_000, 6, "matroska", "pcm_s16", 90),
    Format("video.mp4", "aac", 48_000, 2, "mp4", "aac", 10, 1024 * 2, picture=True),
    Format("video.mkv", "libopus", 48_000, 2, "matroska", "opus", 10, 960, picture=True),
    Format("video.avi", "libmp3lame", 16_000, 2, "avi", "mp3", 10, 1152 * 3, picture=True),
    Format("video.mov", "pcm_s16le", 16_000, 2, "mp4", "pcm_s16", 90, picture=True),
    Format("video.3gp", "libopencore_amrnb", 8_000, 1, "mp4", "amr_nb", None, 160 * 2, bit_rate=12_200, picture=True),
    Format("video.wmv", "wmav2", 16_000, 2, "asf", "wmav2", 10, 2048 * 2, bit_rate=64_000, picture=True),
]


def pictures(container: av.container.OutputContainer, stream: av.VideoStream) -> None:
    for number in range(round(10 * LENGTH_S)):
        still = av.VideoFrame.from_ndarray(np.full((144, 176, 3), number * 6, np.uint8), format="rgb24")
        still.pts, still.time_base = number, Fraction(1, 10)
        container.mux(stream.encode(still))
    container.mux(stream.encode(None))


def write(path: Path, form: Format, samples: NDArray[np.float32]) -> None:
    """Encode samples of shape (channels, frames)."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=10) if form.picture else None
        sound = container.add_stream(form.encoder, rate=form.rate_hz, layout=LAYOUTS[form.channels])
        if form.bit_rate:
            sound.bit_rate = form.bit_rate
        if form.sample:
            sound.codec_context.format = form.sample
        if picture:
            picture.width, picture.height, picture.pix_fmt = 176, 144, "yuv420p"
            pictures(container, picture)
        packed = np.ascontiguousarray(samples.T.reshape(1, -1), np.float32)
        frame = av.AudioFrame.from_ndarray(packed, "flt", LAYOUTS[form.channels])
        frame.rate, frame.pts = form.rate_hz, 0
        for piece in (frame, None):
            container.mux(sound.encode(piece))


def floats(sound: Sound) -> list[NDArray[np.float32]]:
    return [track.read().astype(np.float32) / 32_768 for track in sound.tracks]


def spoken(voice: Voice, rate_hz: int, channels: int) -> NDArray[np.float32]:
    """A voice a channel, on the steps of 16 bits."""
    return np.round(np.stack([voice(LENGTH_S, rate_hz, seed=s) for s in range(channels)]) * 32_767) / np.float32(32_768)


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: f"{form.name}-{form.encoder}-{form.rate_hz}")
def test_what_went_in_comes_out(tmp_path: Path, voice: Voice, form: Format) -> None:
    original = spoken(voice, form.rate_hz, form.channels)
    write(tmp_path / form.name, form, original)
    sound = read_sound(tmp_path / form.name)
    assert (sound.container, sound.codec, sound.rate_hz) == (form.container, form.codec, form.rate_hz)
    assert len(sound.tracks) == form.channels
    assert abs(sound.tracks[0].samples - original.shape[1]) <= form.frame
    assert len({track.samples for track in sound.tracks}) == 1
    if form.snr_db is None:
        assert likeness(original[0], floats(sound)[0], form.rate_hz) > 0.95
        return
    for number, decoded in enumerate(floats(sound)):
        if form.encoder == "ac3" and number == LOW_EFFECTS:
            continue
        found = [snr_db(channel, decoded, form.rate_hz) for channel in original]
        assert found.pop(number) >= form.snr_db
        assert max(found, default=-99.0) < 3


def test_vorbis(tmp_path: Path, voice: Voice) -> None:
    original = spoken(voice, 16_000, 2)
    soundfile.write(tmp_path / "call.ogg", original.T, 16_000, format="OGG", subtype="VORBIS")
    sound = read_sound(tmp_path / "call.ogg")
    assert (sound.container, sound.codec, sound.tracks[0].samples) == ("ogg", "vorbis", original.shape[1])
    assert all(snr_db(*pair, 16_000) > 10 for pair in zip(original, floats(sound), strict=True))


@pytest.mark.parametrize("name", ["call.wav", "call.gsm"])
def test_gsm(tmp_path: Path, voice: Voice, name: str) -> None:
    original = spoken(voice, 8_000, 1)
    form = "WAV" if name.endswith("wav") else "RAW"
    soundfile.write(tmp_path / name, original[0], 8_000, format=form, subtype="GSM610")
    sound = read_sound(tmp_path / name)
    assert sound.codec == "gsm"
    assert abs(sound.tracks[0].samples - original.shape[1]) <= 320
    assert snr_db(original[0], floats(sound)[0], 8_000) > 5


def test_wide_band_amr(tmp_path: Path) -> None:
    """No free encoder is at hand: frames of 12.65 kbit/s with any bits decode to some sound of 20 ms each."""
    random = np.random.default_rng(0)
    (tmp_path / "call.awb").write_bytes(b"#!AMR-WB\n" + b"".join(b"\x14" + random.bytes(32) for _ in range(100)))
    sound = read_sound(tmp_path / "call.awb")
    assert (sound.codec, sound.rate_hz, sound.tracks[0].samples) == ("amr_wb", 16_000, 100 * 320)
    assert sound.tracks[0].read().any()


def test_of_several_tracks_the_first_that_has_sound_is_read(
    tmp_path: Path, voice: Voice, caplog: pytest.LogCaptureFixture
) -> None:
    original = spoken(voice, 8_000, 2)
    with av.open(str(tmp_path / "call.mka"), "w") as container:
        streams = [container.add_stream("pcm_s16le", rate=8_000, layout="mono") for _ in range(3)]
        for stream, samples in zip(streams[1:], original, strict=True):
            frame = av.AudioFrame.from_ndarray(np.round(samples * 32_768).astype(np.int16)[np.newaxis], "s16", "mono")
            frame.rate, frame.pts = 8_000, 0
            for piece in (frame, None):
                container.mux(stream.encode(piece))
    sound = read_sound(tmp_path / "call.mka")
    assert len(sound.tracks) == 1
    assert (floats(sound)[0] == original[0]).all()
    assert "3 sound tracks, and number 2 is read" in caplog.text


@pytest.mark.parametrize("channels", [3, 12, 32])
@pytest.mark.parametrize("streamed", [False, True])
def test_any_number_of_channels_stays_in_order(tmp_path: Path, channels: int, streamed: bool) -> None:
    original = np.random.default_rng(0).integers(-9_000, 9_000, (4_800, channels)).astype(np.int16)
    path = tmp_path / "call.wav"
    soundfile.write(path, original, 11_025)
    if streamed:  # a length that is not known sends it to the other decoder
        content = bytearray(path.read_bytes())
        start = content.index(b"data")
        content[start + 4 : start + 8] = content[4:8] = b"\xff" * 4
        path.write_bytes(content)
    read = np.stack([track.read() for track in read_sound(path).tracks])
    assert (read == original.T).all()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, list[NDArray[np.int16]]]:
    """Files for either decoder, and what they hold."""
    folder, samples = tmp_path_factory.mktemp("kept"), spoken(babble, 8_000, 2)
    made = {}
    for form in (FORMATS[0], FORMATS[15], FORMATS[4], FORMATS[18]):
        path = folder / f"{form.encoder}-{form.name}"
        write(path, form, samples if form.rate_hz == 8_000 else spoken(babble, form.rate_hz, form.channels))
        made[path] = [track.read() for track in read_sound(path).tracks]
    return made


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.integers(1_000, 1 << 17))
def test_blocks_of_any_size_hold_the_same_samples(
    kept: dict[Path, list[NDArray[np.int16]]], monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(frames, "BLOCK_FRAMES", size)
    monkeypatch.setattr(sndfile, "BLOCK_FRAMES", size)
    for path, expected in kept.items():
        for track, samples in zip(read_sound(path).tracks, expected, strict=True):
            assert (track.read() == samples).all()


def test_a_track_that_begins_in_the_middle_takes_nothing_from_the_first(tmp_path: Path) -> None:
    """In FLV, any part of the file may be the first of a video."""
    second = np.repeat(np.arange(44_100, dtype=np.int16) % 9_000, 2)
    seconds = 2 + LOOKED_AT_FIRST // second.nbytes
    with av.open(str(tmp_path / "sound.flv"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=44_100, layout="stereo")
        for number in range(seconds):
            frame = av.AudioFrame.from_ndarray(second[np.newaxis], "s16", "stereo")
            frame.rate, frame.pts = 44_100, number * 44_100
            container.mux(stream.encode(frame))
    content = (tmp_path / "sound.flv").read_bytes()
    place = 13
    while place < LOOKED_AT_FIRST:
        place += 15 + int.from_bytes(content[place + 1 : place + 4], "big")
    picture = b"\x09\0\0\x65" + content[place + 4 : place + 8] + b"\0\0\0\x12" + bytes(100)
    (tmp_path / "both.flv").write_bytes(content[:place] + picture + (112).to_bytes(4, "big") + content[place:])
    sound = read_sound(tmp_path / "both.flv")
    assert [track.samples for track in sound.tracks] == [seconds * 44_100] * 2
    assert (sound.tracks[0].read() == np.tile(second[::2], seconds)).all()


def test_mpeg_in_a_wav_is_read_without_a_word_on_stderr(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    form = FORMATS[13]
    write(tmp_path / form.name, form, spoken(babble, form.rate_hz, form.channels))
    content = (tmp_path / form.name).read_bytes()
    start = content.index(b"data") + 8
    (tmp_path / form.name).write_bytes(content[: start + 50] + bytes(len(content) - start - 50))
    try:
        read_sound(tmp_path / form.name)
    except AudioError as error:
        assert form.name in str(error)
    assert capfd.readouterr() == ("", "")
