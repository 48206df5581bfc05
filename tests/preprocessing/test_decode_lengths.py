"""What the header declares, and what is there."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from callscope_preprocessing.decode import decode
from callscope_preprocessing.errors import AudioEmpty, AudioTooLong, AudioTruncated
from callscope_preprocessing.limits import Limits
from callscope_preprocessing.sound import read_sound

Encode = Callable[..., Path]
Voice = Callable[..., NDArray[np.float32]]

LIST_CHUNK = b"LIST\x04\0\0\0INFO"


def wav(
    data: bytes, *, data_size: int | None = None, riff_size: int | None = None, after: bytes = b"", rate_hz: int = 8000
) -> bytes:
    """A 16-bit mono WAV whose sizes may lie."""
    data_size = len(data) if data_size is None else data_size
    fmt = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, rate_hz, rate_hz * 2, 2, 16)
    riff_size = 4 + len(fmt) + 8 + len(data) + len(after) if riff_size is None else riff_size
    head = b"RIFF" + struct.pack("<I", riff_size & 0xFFFFFFFF) + b"WAVE" + fmt
    return head + b"data" + struct.pack("<I", data_size) + data + after


@pytest.fixture
def pcm(voice: Voice) -> bytes:
    return (voice(1, 8000) * 32767).astype("<i2").tobytes()


@pytest.mark.parametrize(
    ("data_size", "riff_size"),
    [
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0xFFFFFFFF - 36, 0xFFFFFFFF),
        (0, 0),
        (0, 36),
        (0x7FFFF000, 0x7FFFF024),
        (0x7FFFFFFF, 0x7FFFFFFF),
        (0x80000000, 0x80000024),
    ],
)
def test_a_wav_from_a_pipe_is_read_to_its_end(tmp_path: Path, pcm: bytes, data_size: int, riff_size: int) -> None:
    path = tmp_path / "piped.wav"
    path.write_bytes(wav(pcm, data_size=data_size, riff_size=riff_size))
    decoded = decode(path).samples
    assert (decoded[0] * 32768).astype("<i2").tobytes() == pcm


def test_a_truncated_wav_says_how_much_is_there_and_how_to_keep_it(tmp_path: Path, pcm: bytes) -> None:
    path = tmp_path / "cut off.wav"
    path.write_bytes(wav(pcm)[: 44 + 6000])
    with pytest.raises(AudioTruncated) as caught:
        decode(path)
    assert "declares 1.00 s and 0.38 s is there" in str(caught.value)
    assert f"ffmpeg -i '{path}' 'cut off-repaired.wav'" in str(caught.value)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("rate_hz", [8000, 16_000])
def test_24_hours_in_a_header_of_a_kilobyte_are_a_truncated_file(tmp_path: Path, pcm: bytes, rate_hz: int) -> None:
    path = tmp_path / "day.wav"
    size = rate_hz * 2 * 24 * 3600
    path.write_bytes(wav(pcm[:1000], data_size=size, riff_size=size + 36, rate_hz=rate_hz))
    with pytest.raises(AudioTruncated, match=r"declares 24 h 00 min and 0\.0\d s is there"):
        decode(path)


def test_a_header_with_no_sound_after_it_is_a_truncated_file(tmp_path: Path) -> None:
    path = tmp_path / "head.wav"
    path.write_bytes(wav(b"", data_size=16_000, riff_size=16_036))
    with pytest.raises(AudioTruncated, match="0 % of the bytes"):
        decode(path)


def test_a_header_that_puts_the_sound_behind_the_end_is_a_truncated_file(tmp_path: Path, voice: Voice) -> None:
    path = tmp_path / "call.au"
    soundfile.write(path, voice(1, 8000), 8000, subtype="ULAW")
    content = bytearray(path.read_bytes())
    content[4:8] = (1 << 20).to_bytes(4, "big")
    path.write_bytes(content)
    with pytest.raises(AudioTruncated, match="0 % of the bytes"):
        decode(path)


def test_only_padding_may_be_missing(tmp_path: Path, pcm: bytes) -> None:
    path = tmp_path / "call.wav"
    path.write_bytes(wav(pcm, data_size=len(pcm) + 1))
    assert decode(path).duration_s == 1.0
    path.write_bytes(wav(pcm, data_size=len(pcm) + 2))
    with pytest.raises(AudioTruncated):
        decode(path)


@pytest.mark.parametrize("after", [LIST_CHUNK, b"\0", b"rubbish at the end"])
def test_what_follows_the_sound_is_no_sound(tmp_path: Path, pcm: bytes, after: bytes) -> None:
    path = tmp_path / "call.wav"
    path.write_bytes(wav(pcm, after=after))
    assert decode(path).duration_s == 1.0


@pytest.mark.parametrize("after", [b"", LIST_CHUNK])
def test_a_wav_of_no_length_is_empty(tmp_path: Path, after: bytes) -> None:
    path = tmp_path / "nothing.wav"
    path.write_bytes(wav(b"", after=after))
    with pytest.raises(AudioEmpty, match="its length is 0 s"):
        decode(path)


@pytest.mark.parametrize(
    ("container", "subtype"),
    [
        ("RF64", "PCM_16"),
        ("W64", "PCM_16"),
        ("AIFF", "PCM_24"),
        ("AU", "ULAW"),
        ("CAF", "PCM_16"),
        ("WAV", "IMA_ADPCM"),
    ],
)
def test_every_container_with_a_length_tells_when_it_is_cut(
    tmp_path: Path, voice: Voice, container: str, subtype: str
) -> None:
    path = tmp_path / "call.sound"
    soundfile.write(path, voice(4, 8000), 8000, format=container, subtype=subtype)
    content = path.read_bytes()
    assert decode(path).duration_s == pytest.approx(4.0, abs=0.1)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(AudioTruncated, match=r"declares [34]\.\d\d s and [12]\.\d\d s is there"):
        decode(path)


@pytest.mark.parametrize(
    ("name", "codec", "rate_hz", "options"),
    [
        ("call.m4a", "aac", 16_000, {}),
        ("faststart.m4a", "aac", 16_000, {"movflags": "faststart"}),
        ("call.mp3", "libmp3lame", 16_000, {}),
        ("call.webm", "libopus", 48_000, {}),
    ],
)
def test_cut_compressed_files_with_a_length_are_truncated(
    *, tmp_path: Path, voice: Voice, encode: Encode, name: str, codec: str, rate_hz: int, options: dict[str, str]
) -> None:
    path = encode(tmp_path / name, (voice(4, rate_hz) * 32767).astype(np.int16)[np.newaxis], codec, rate_hz, **options)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    with pytest.raises(AudioTruncated, match="is cut short"):
        decode(path)


def test_a_cut_flac_is_truncated(tmp_path: Path, voice: Voice) -> None:
    path = tmp_path / "call.flac"
    soundfile.write(path, voice(4, 16_000), 16_000)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(AudioTruncated, match=r"declares 4\.00 s and [12]\.\d\d s is there"):
        decode(path)


def test_the_limit_counts_decoded_sound_whatever_the_header_says(tmp_path: Path, pcm: bytes) -> None:
    path = tmp_path / "call.wav"
    path.write_bytes(wav(pcm, data_size=0xFFFFFFFF, riff_size=0xFFFFFFFF))
    assert read_sound(path, limits=Limits(duration_s=1.0)).duration_s == 1.0
    with pytest.raises(AudioTooLong, match=r"longer than 0\.99 s"):
        read_sound(path, limits=Limits(duration_s=0.99))


def test_a_small_file_that_unfolds_to_hours_stops_at_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "hours.flac"
    with soundfile.SoundFile(path, "w", 8000, 1) as file:
        for _ in range(60):
            file.write(np.zeros(8000 * 60, np.int16))
    assert path.stat().st_size < 200_000
    with pytest.raises(AudioTooLong, match="Split it, or raise the limit"):
        read_sound(path, limits=Limits(duration_s=600))
