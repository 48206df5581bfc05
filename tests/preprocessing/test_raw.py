"""Sound without a header is read as it is said to be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from callscope_preprocessing.errors import AudioCorrupt, AudioEmpty, AudioUnsupported
from callscope_preprocessing.raw import ALIASES, ENCODINGS, RawFormat
from callscope_preprocessing.sound import read_sound

from .likeness import snr_db

WHOLE = {"s8": "i1", "s16le": "<i2", "s16be": ">i2", "s32le": "<i4", "s32be": ">i4"}
FLOATS = {"f32le": "<f4", "f32be": ">f4", "f64le": "<f8", "f64be": ">f8"}


def read(path: Path, text: str) -> NDArray[np.int16]:
    """All channels, shape (channels, frames)."""
    return np.stack([track.read() for track in read_sound(path, raw=RawFormat.parse(text)).tracks])


samples = st.integers(1, 4).flatmap(
    lambda channels: st.lists(
        st.lists(st.integers(-(1 << 15), (1 << 15) - 1), min_size=channels, max_size=channels), min_size=1, max_size=40
    )
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(samples=samples, encoding=st.sampled_from([*WHOLE, *FLOATS, "u8", "s24le", "s24be"]))
def test_samples_come_back_as_they_were_written(tmp_path: Path, samples: list[list[int]], encoding: str) -> None:
    pcm = np.array(samples, np.int16)
    path = tmp_path / "call.raw"
    if encoding in {"s8", "u8"}:
        pcm &= -256
        data = (pcm >> 8).astype(np.int8) if encoding == "s8" else ((pcm >> 8) + 128).astype(np.uint8)
    elif encoding in FLOATS:
        data = (pcm / 32_768).astype(FLOATS[encoding])
    elif encoding in {"s24le", "s24be"}:
        order = encoding[-2]
        wide = (pcm.astype(np.int32) << 8).astype(f"{'<' if order == 'l' else '>'}i4")
        quads = wide.view(np.uint8).reshape(-1, 4)
        data = quads[:, :3] if order == "l" else quads[:, 1:]
    else:
        kind = np.dtype(WHOLE[encoding])
        data = (pcm.astype(np.int64) << (8 * kind.itemsize - 16)).astype(kind)
    path.write_bytes(data.tobytes())
    assert (read(path, f"{encoding}:8000:{pcm.shape[1]}") == pcm.T).all()


@pytest.mark.parametrize(("encoding", "subtype"), [("mulaw", "ULAW"), ("alaw", "ALAW"), ("pcmu", "ULAW")])
def test_telephone_bytes_are_what_a_header_would_make_of_them(tmp_path: Path, encoding: str, subtype: str) -> None:
    every = np.arange(256, dtype=np.uint8)
    (tmp_path / "call.raw").write_bytes(every.tobytes())
    header = tmp_path / "call.wav"
    soundfile.write(header, np.zeros((128, 2), np.int16), 8_000, subtype=subtype)
    content = header.read_bytes()
    header.write_bytes(content[: content.rindex(b"data") + 8] + every.tobytes())
    expected = np.stack([track.read() for track in read_sound(header).tracks])
    assert int(expected.max()) - int(expected.min()) > 60_000
    assert (read(tmp_path / "call.raw", f"{encoding}:8000:2") == expected).all()


@pytest.mark.parametrize(
    ("encoding", "encoder", "muxer", "rate_hz"),
    [("g722", "g722", "g722", 16_000), ("g726", "g726", "g726", 8_000), ("g726le", "g726le", "g726le", 8_000)],
)
def test_codecs_without_a_header(
    *, tmp_path: Path, voice: Callable[..., NDArray[np.float32]], encoding: str, encoder: str, muxer: str, rate_hz: int
) -> None:
    original = voice(3, rate_hz)
    with av.open(str(tmp_path / "call.raw"), "w", format=muxer) as container:
        stream = container.add_stream(encoder, rate=rate_hz, layout="mono")
        frame = av.AudioFrame.from_ndarray((original * 32_767).astype(np.int16)[np.newaxis], "s16", "mono")
        frame.rate, frame.pts = rate_hz, 0
        for piece in (frame, None):
            container.mux(stream.encode(piece))
    decoded = read(tmp_path / "call.raw", f"{encoding}:{rate_hz}:1")
    assert abs(decoded.shape[1] - len(original)) <= 320
    assert snr_db(original, decoded[0] / np.float32(32_768), rate_hz) > 10


@pytest.mark.parametrize(("encoding", "subtype", "snr"), [("vox", "VOX_ADPCM", 8), ("gsm", "GSM610", 5)])
def test_other_telephone_codecs(
    *, tmp_path: Path, voice: Callable[..., NDArray[np.float32]], encoding: str, subtype: str, snr: float
) -> None:
    original = voice(3, 8_000)
    soundfile.write(tmp_path / "call.vox", original, 8_000, format="RAW", subtype=subtype)
    decoded = read(tmp_path / "call.vox", f"{encoding}:8000:1")
    assert abs(decoded.shape[1] - len(original)) <= 160
    assert snr_db(original, decoded[0] / np.float32(32_768), 8_000) > snr


def test_it_says_what_it_read(tmp_path: Path) -> None:
    (tmp_path / "call.raw").write_bytes(bytes(800))
    sound = read_sound(tmp_path / "call.raw", raw=RawFormat.parse("MuLaw:8000:1"))
    assert (sound.container, sound.codec, sound.rate_hz, sound.duration_s) == ("raw", "pcm_mulaw", 8_000, 0.1)


def test_a_part_of_a_sample_at_the_end_is_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "call.raw").write_bytes(bytes(9))
    assert read(tmp_path / "call.raw", "s16le:8000:2").shape == (2, 2)
    assert "last 1 bytes" in caplog.text


def test_the_wrong_encoding_shows_where_it_can(tmp_path: Path) -> None:
    (tmp_path / "call.raw").write_bytes(np.random.default_rng(0).bytes(8_000))
    with pytest.raises(AudioCorrupt):
        read(tmp_path / "call.raw", "f32le:8000:1")


def test_nothing_and_less_than_a_sample_are_empty(tmp_path: Path) -> None:
    for size in (0, 1):
        (tmp_path / "call.raw").write_bytes(bytes(size))
        with pytest.raises(AudioEmpty):
            read(tmp_path / "call.raw", "s16le:8000:1")


@pytest.mark.parametrize("text", ["s16le:2000000000:1", "s16le:8000:100000", "s16le:1:1"])
def test_limits_hold_for_it_too(tmp_path: Path, text: str) -> None:
    (tmp_path / "call.raw").write_bytes(bytes(80))
    with pytest.raises(AudioUnsupported):
        read(tmp_path / "call.raw", text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mulaw", "Write ENCODING:RATE:CHANNELS"),
        ("mulaw:8000", "Write ENCODING:RATE:CHANNELS"),
        ("mulaw:8000:1:1", "Write ENCODING:RATE:CHANNELS"),
        ("mulaw:8k:1", "Write ENCODING:RATE:CHANNELS"),
        ("mp3:8000:1", "Choose one of mulaw"),
        ("mulaw:0:1", "at least one sample a second"),
        ("mulaw:8000:-1", "at least one sample a second"),
        ("g722:8000:1", "16000 samples a second"),
        ("gsm:8000:2", "has one channel"),
    ],
)
def test_what_cannot_be_is_said(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RawFormat.parse(text)


@given(
    st.sampled_from([*(name for name, row in ENCODINGS.items() if not row.rate_hz and not row.is_mono), *ALIASES]),
    st.integers(1, 400_000),
    st.integers(1, 100),
)
def test_a_format_is_read_as_it_is_written(encoding: str, rate_hz: int, channels: int) -> None:
    raw = RawFormat.parse(f"{encoding}:{rate_hz}:{channels}")
    assert (raw.rate_hz, raw.channels) == (rate_hz, channels)
    assert RawFormat.parse(str(raw)) == raw
