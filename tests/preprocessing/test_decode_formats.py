from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from callscope_preprocessing.decode import decode
from callscope_preprocessing.errors import AudioCorrupt

from .likeness import correlation, likeness

Encode = Callable[..., Path]
Voice = Callable[..., NDArray[np.float32]]

RATE_HZ = 16_000
HALF_A_STEP = 0.5 / 32_768


@pytest.mark.parametrize(
    ("container", "subtype", "tolerance"),
    [
        ("WAV", "PCM_U8", 1 / 100),
        ("WAV", "PCM_16", 1 / 30_000),
        ("WAV", "PCM_24", 1e-6),
        ("WAV", "PCM_32", 1e-6),
        ("WAV", "FLOAT", 0.0),
        ("WAV", "DOUBLE", 0.0),
        ("WAV", "ALAW", 0.02),
        ("WAV", "ULAW", 0.02),
        ("WAVEX", "PCM_24", 1e-6),
        ("RF64", "PCM_16", 1 / 30_000),
        ("W64", "PCM_16", 1 / 30_000),
        ("AIFF", "PCM_16", 1 / 30_000),
        ("AU", "ULAW", 0.02),
        ("CAF", "PCM_16", 1 / 30_000),
        ("NIST", "PCM_16", 1 / 30_000),
        ("FLAC", "PCM_24", 1e-6),
    ],
)
def test_uncompressed_and_lossless_sound_comes_back_as_exactly_as_its_width_and_16_bits_allow(
    tmp_path: Path, voice: Voice, container: str, subtype: str, tolerance: float
) -> None:
    original = np.stack([voice(1.3, 8000, seed=1), voice(1.3, 8000, seed=2)])
    path = tmp_path / "call.sound"
    soundfile.write(path, original.T, 8000, format=container, subtype=subtype)
    audio = decode(path)
    assert audio.rate_hz == 8000
    assert audio.samples.shape == original.shape
    assert audio.samples.dtype == np.float32
    assert np.abs(audio.samples - original).max() <= (tolerance if tolerance > HALF_A_STEP else tolerance + HALF_A_STEP)


@pytest.mark.parametrize("subtype", ["IMA_ADPCM", "MS_ADPCM", "GSM610"])
def test_telephone_codecs_in_wav_are_read(tmp_path: Path, voice: Voice, subtype: str) -> None:
    original = voice(2, 8000)
    path = tmp_path / "call.wav"
    soundfile.write(path, original, 8000, subtype=subtype)
    audio = decode(path)
    assert audio.duration_s == pytest.approx(2.0, abs=0.1)
    assert correlation(original, audio.samples[0]) > 0.9


@pytest.mark.parametrize(
    ("name", "codec", "rate_hz", "channels"),
    [
        ("call.mp3", "libmp3lame", RATE_HZ, 2),
        ("call.m4a", "aac", RATE_HZ, 2),
        ("call.mp4", "aac", RATE_HZ, 1),
        ("call.aac", "aac", RATE_HZ, 1),
        ("call.opus", "libopus", 48_000, 2),
        ("call.ogg", "libopus", 48_000, 1),
        ("call.webm", "libopus", 48_000, 1),
        ("call.mka", "aac", RATE_HZ, 1),
        ("call.amr", "amr_nb", 8000, 1),
        ("call.ac3", "ac3", 48_000, 1),
        ("g722.wav", "g722", RATE_HZ, 1),
        ("mp3.wav", "libmp3lame", RATE_HZ, 1),
    ],
)
def test_compressed_sound_is_read_with_its_channels_apart(
    *, tmp_path: Path, voice: Voice, encode: Encode, name: str, codec: str, rate_hz: int, channels: int
) -> None:
    original = np.stack([voice(2.5, rate_hz, seed=seed) for seed in range(channels)])
    path = encode(tmp_path / name, (original * 32767).astype(np.int16), codec, rate_hz)
    audio = decode(path)
    assert audio.rate_hz == rate_hz
    assert audio.channels == channels
    assert audio.duration_s == pytest.approx(2.5, abs=0.15)
    for number, decoded in enumerate(audio.samples):
        alike = [likeness(channel, decoded, rate_hz) for channel in original]
        assert alike.pop(number) > 0.95
        assert max(alike, default=0) < 0.8


def test_ogg_vorbis_is_read(tmp_path: Path, voice: Voice) -> None:
    original = voice(2, RATE_HZ)
    path = tmp_path / "call.ogg"
    soundfile.write(path, original, RATE_HZ, format="OGG", subtype="VORBIS")
    audio = decode(path)
    assert audio.samples.shape == (1, 2 * RATE_HZ)
    assert correlation(original, audio.samples[0]) > 0.95


def test_the_sound_of_a_video_is_read(tmp_path: Path, voice: Voice) -> None:
    path = tmp_path / "meeting.mp4"
    original = voice(2, RATE_HZ)
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=10)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("aac", rate=RATE_HZ, layout="mono")
        for number in range(40):
            still = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number * 6, np.uint8), format="rgb24")
            still.pts, still.time_base = number, Fraction(1, 10)
            container.mux(picture.encode(still))
        container.mux(picture.encode(None))
        frame = av.AudioFrame.from_ndarray((original * 32767).astype(np.int16)[np.newaxis], "s16", "mono")
        frame.rate, frame.pts = RATE_HZ, 0
        for piece in (frame, None):
            container.mux(sound.encode(piece))
    audio = decode(path)
    assert audio.duration_s == pytest.approx(2.0, abs=0.1)
    assert correlation(original, audio.samples[0]) > 0.95


@pytest.mark.parametrize("name", ["call.mp3", "call.wav"])
def test_mpeg_sound_without_a_length_header_is_read_to_its_end(tmp_path: Path, voice: Voice, name: str) -> None:
    sound = np.zeros(RATE_HZ * 30, np.float32)
    sound[: RATE_HZ * 5] = voice(5, RATE_HZ)
    sound[RATE_HZ * 25 :] = voice(5, RATE_HZ)
    path = tmp_path / name
    with av.open(str(path), "w", options={"write_xing": "0"} if name == "call.mp3" else {}) as container:
        stream = container.add_stream("libmp3lame", rate=RATE_HZ, layout="mono")
        stream.codec_context.qscale = True
        stream.codec_context.global_quality = 2 * 118
        frame = av.AudioFrame.from_ndarray((sound * 32767).astype(np.int16)[np.newaxis], "s16", "mono")
        frame.rate, frame.pts = RATE_HZ, 0
        for piece in (frame, None):
            container.mux(stream.encode(piece))
    audio = decode(path)
    assert audio.duration_s == pytest.approx(30, abs=0.2)
    assert np.abs(audio.samples[0, RATE_HZ * 26 :]).max() > 0.1


def test_a_pause_that_only_timestamps_show_keeps_its_length(tmp_path: Path, voice: Voice) -> None:
    rate_hz, path = 48_000, tmp_path / "call.webm"
    pcm = (voice(4, rate_hz) * 32767).astype(np.int16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libopus", rate=rate_hz, layout="mono")
        frame = av.AudioFrame.from_ndarray(pcm[np.newaxis], "s16", "mono")
        frame.rate, frame.pts = rate_hz, 0
        packets = [packet for piece in (frame, None) for packet in stream.encode(piece)]
        for packet in packets:
            at_s = float(packet.pts * packet.time_base)
            if not 1.0 < at_s < 3.0:
                container.mux(packet)
    audio = decode(path)
    assert audio.duration_s == pytest.approx(4.0, abs=0.1)
    assert np.abs(audio.samples[0, round(1.3 * rate_hz) : round(2.7 * rate_hz)]).max() < 0.01
    last_half_second = slice(len(pcm) - rate_hz // 2, len(pcm))
    assert likeness(pcm[last_half_second] / 32768, audio.samples[0, last_half_second], rate_hz) > 0.95


@pytest.mark.parametrize("channels", [6, 8])
def test_surround_sound_is_read(tmp_path: Path, channels: int) -> None:
    original = np.random.default_rng(0).integers(-9000, 9000, (4800, channels)).astype(np.int16)
    path = tmp_path / "call.flac"
    soundfile.write(path, original, RATE_HZ)
    assert (original == decode(path).samples.T * 32768).all()


def test_eight_planes_of_a_lossy_codec_are_read(tmp_path: Path, voice: Voice) -> None:
    path = tmp_path / "call.mka"
    original = np.stack([voice(2, 48_000, seed=seed) for seed in range(8)])
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48_000, layout="7.1")
        frame = av.AudioFrame.from_ndarray(original.T.reshape(1, -1).copy(), "flt", "7.1")
        frame.rate, frame.pts = 48_000, 0
        for piece in (frame, None):
            container.mux(stream.encode(piece))
    audio = decode(path)
    assert audio.channels == 8
    assert likeness(original[0], audio.samples[0], 48_000) > 0.95


def test_tags_in_legacy_encodings_do_not_stop_the_sound(tmp_path: Path, voice: Voice, encode: Encode) -> None:
    path = encode(
        tmp_path / "call.mp3", (voice(1, RATE_HZ) * 32767).astype(np.int16)[np.newaxis], "libmp3lame", RATE_HZ
    )
    title = b"\x03" + "상담 녹취".encode("euc-kr")
    frame = b"TIT2" + len(title).to_bytes(4, "big") + b"\0\0" + title
    tag = b"ID3\x03\0\0" + bytes([0, 0, 0, len(frame)]) + frame
    sound = path.read_bytes()
    path.write_bytes(tag + sound[sound.index(b"\xff\xf3") :])
    assert decode(path).duration_s == pytest.approx(1.0, abs=0.1)


def test_the_name_of_the_file_does_not_matter(tmp_path: Path, voice: Voice, encode: Encode) -> None:
    pcm = (voice(1, RATE_HZ) * 32767).astype(np.int16)[np.newaxis]
    mp3 = encode(tmp_path / "call.mp3", pcm, "libmp3lame", RATE_HZ)
    misnamed = mp3.rename(tmp_path / "통화 녹음.raw")
    assert decode(misnamed).duration_s == pytest.approx(1.0, abs=0.1)


def test_sound_above_full_scale_is_held_at_full_scale(tmp_path: Path) -> None:
    path = tmp_path / "loud.wav"
    soundfile.write(path, np.array([0.5, 1.7, -2.5, -0.25]), 8000, subtype="FLOAT")
    assert decode(path).samples.tolist() == [[0.5, 32_767 / 32_768, -1.0, -0.25]]


@pytest.fixture
def amr(tmp_path: Path, voice: Voice, encode: Encode) -> Path:
    return encode(tmp_path / "call.amr", (voice(12, 8000) * 32767).astype(np.int16)[np.newaxis], "amr_nb", 8000)


def test_a_packet_that_is_cut_at_the_end_is_left_out_with_a_warning(
    amr: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = decode(amr)
    amr.write_bytes(amr.read_bytes()[:-5])
    assert decode(amr).duration_s == pytest.approx(whole.duration_s - 0.02, abs=1e-6)
    assert "1 of 60" in caplog.text
    assert capfd.readouterr() == ("", "")


def test_damaged_packets_inside_are_silent_and_move_nothing(tmp_path: Path, voice: Voice, encode: Encode) -> None:
    original = voice(60, RATE_HZ)
    path = encode(tmp_path / "call.m4a", (original * 32767).astype(np.int16)[np.newaxis], "aac", RATE_HZ)
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = list(container.demux(container.streams.audio[0]))
    for packet in packets[400:405]:
        content[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    path.write_bytes(content)
    audio = decode(path)
    assert audio.duration_s == pytest.approx(60, abs=0.1)
    last_second = slice(59 * RATE_HZ, 60 * RATE_HZ)
    assert correlation(original[last_second], audio.samples[0, last_second]) > 0.95


def test_many_damaged_packets_are_an_error(amr: Path) -> None:
    content = bytearray(amr.read_bytes())
    content[300::50] = b"\x7c" * len(content[300::50])
    amr.write_bytes(content)
    with pytest.raises(AudioCorrupt, match="cut short or damaged"):
        decode(amr)
