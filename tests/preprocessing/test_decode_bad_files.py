from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from callscope_preprocessing.decode import decode
from callscope_preprocessing.errors import (
    AudioCorrupt,
    AudioEmpty,
    AudioError,
    AudioNotFound,
    AudioUnreadable,
    AudioUnrecognised,
    AudioUnsupported,
)

NOBODY = 65_534
SOURCES = Path(__file__).parents[2] / "preprocessing"


def refused(path: Path, kind: type[AudioError], words: str) -> None:
    """The file is refused in two sentences that name it."""
    with pytest.raises(kind, match=words) as caught:
        decode(path)
    message = str(caught.value)
    assert type(caught.value) is kind
    assert caught.value.exit_code == 3
    assert str(path) in message
    assert "\n" not in message
    assert len(message.replace(str(path), "").split(". ")) == 2


def test_a_missing_file(tmp_path: Path) -> None:
    refused(tmp_path / "call.wav", AudioNotFound, "does not exist")


def test_a_file_used_as_a_directory(tmp_path: Path) -> None:
    (tmp_path / "call").write_bytes(b"x")
    refused(tmp_path / "call" / "left.wav", AudioNotFound, "does not exist")


def test_a_link_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "call.wav").symlink_to(tmp_path / "gone.wav")
    refused(tmp_path / "call.wav", AudioNotFound, "does not exist")


def test_a_link_to_itself(tmp_path: Path) -> None:
    (tmp_path / "call.wav").symlink_to(tmp_path / "call.wav")
    refused(tmp_path / "call.wav", AudioUnreadable, "cannot be read")


def test_a_path_that_cannot_be() -> None:
    with pytest.raises(AudioNotFound, match="not a possible path"):
        decode(Path("call\0.wav"))


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    refused(tmp_path / ("x" * 300), AudioUnreadable, "cannot be read")


def test_a_directory(tmp_path: Path) -> None:
    refused(tmp_path, AudioUnreadable, "is a directory")


def test_a_named_pipe_is_refused_without_waiting_for_its_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "call.wav")
    refused(tmp_path / "call.wav", AudioUnreadable, "pipe or a device")


def test_a_device() -> None:
    refused(Path("/dev/zero"), AudioUnreadable, "pipe or a device")


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Run as a user to whom permissions apply."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    yield
    os.seteuid(0)


@pytest.fixture
def secret(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("secret")
    path = folder / "call.wav"
    soundfile.write(path, np.zeros(800), 8000)
    path.chmod(0)
    yield path
    folder.chmod(0o700)


def test_a_file_without_permission(secret: Path, unprivileged: None) -> None:
    refused(secret, AudioUnreadable, "may not be read by this user")


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "call.wav").touch()
    refused(tmp_path / "call.wav", AudioEmpty, "is empty")


@pytest.mark.parametrize("encoding", ["utf-8", "shift_jis", "euc_kr", "iso2022_jp"])
def test_text_named_wav(tmp_path: Path, encoding: str) -> None:
    text = "これは音声ではありません。\n" if "jp" in encoding or "jis" in encoding else "음성 파일이 아닙니다.\n"
    (tmp_path / "call.wav").write_bytes(text.encode(encoding) * 100)
    refused(tmp_path / "call.wav", AudioUnrecognised, "holds text, not sound")


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{target}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {target}\n",
    ],
)
def test_a_playlist_cannot_reach_other_files(tmp_path: Path, playlist: str) -> None:
    soundfile.write(tmp_path / "other.wav", np.zeros(8000), 8000)
    (tmp_path / "call.wav").write_text(playlist.format(target=tmp_path / "other.wav"))
    refused(tmp_path / "call.wav", AudioUnrecognised, "holds text")


@pytest.mark.parametrize("content", [b"RIFF", b"\0" * 1000, b"RIFF\x24\0\0\0WAVEfmt \x10\0", b"OggS\0", b"fLaC\0\0"])
def test_a_header_that_ends_too_soon(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "call.wav").write_bytes(content)
    refused(tmp_path / "call.wav", AudioUnrecognised, "or its header is damaged")


@pytest.mark.parametrize(("rate_hz", "channels"), [(2_000_000_000, 1), (1, 1), (3_999, 1), (8000, 1000), (8000, 33)])
def test_absurd_rates_and_channel_counts(tmp_path: Path, rate_hz: int, channels: int) -> None:
    block = 2 * channels
    fmt = struct.pack("<IHHIIHH", 16, 1, channels, rate_hz, rate_hz * block & 0xFFFFFFFF, block, 16)
    data = bytes(block * 100)
    content = b"WAVEfmt " + fmt + b"data" + struct.pack("<I", len(data)) + data
    (tmp_path / "call.wav").write_bytes(b"RIFF" + struct.pack("<I", len(content)) + content)
    refused(tmp_path / "call.wav", AudioUnsupported, "samples a second" if channels == 1 else "channels")


@pytest.mark.parametrize("offset", [22, 24])
def test_no_channels_or_no_rate(tmp_path: Path, offset: int) -> None:
    path = tmp_path / "call.wav"
    soundfile.write(path, np.zeros(8000), 8000)
    content = bytearray(path.read_bytes())
    content[offset : offset + 2] = b"\0\0"
    path.write_bytes(content)
    with pytest.raises(AudioError, match="damaged"):
        decode(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers(tmp_path: Path, value: float) -> None:
    samples = np.zeros(200_000, np.float32)
    samples[150_000] = value
    soundfile.write(tmp_path / "call.wav", samples, 8000, subtype="FLOAT")
    refused(tmp_path / "call.wav", AudioCorrupt, "no finite numbers")


def test_integers_written_as_floats(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).integers(-20_000, 20_000, 8000).astype(np.float32)
    soundfile.write(tmp_path / "call.wav", samples, 8000, subtype="FLOAT")
    refused(tmp_path / "call.wav", AudioCorrupt, "full scale is 1")


def test_a_video_without_sound(tmp_path: Path) -> None:
    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
    refused(path, AudioEmpty, "no sound track")


def test_a_codec_that_is_not_known(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    soundfile.write(path, np.zeros(8000), 8000)
    content = bytearray(path.read_bytes())
    content[20:22] = b"\x34\x12"
    path.write_bytes(content)
    refused(path, AudioUnrecognised, "not sound in any format known here")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(container="wav", position=40, junk=b"\xff\xff\xff\x7f")
@given(
    container=st.sampled_from(["wav", "flac", "ogg", "mp3", "aiff", "m4a", "webm"]),
    position=st.integers(0, 3000),
    junk=st.binary(min_size=1, max_size=40),
)
def test_damage_anywhere_is_an_audio_error_or_sound(
    tmp_path: Path, encode: Callable[..., Path], container: str, position: int, junk: bytes
) -> None:
    path = tmp_path / f"call.{container}"
    whole = tmp_path / f"whole.{container}"
    if not whole.exists():
        codecs = {"wav": "pcm_s16le", "flac": "flac", "mp3": "libmp3lame", "aiff": "pcm_s16be", "m4a": "aac"}
        samples = np.random.default_rng(0).integers(-9000, 9000, (1, 4800)).astype(np.int16)
        encode(whole, samples, codecs.get(container, "libopus"), 48_000)
    content = bytearray(whole.read_bytes())
    position = min(position, len(content))
    content[position : position + len(junk)] = junk
    path.write_bytes(content)
    try:
        audio = decode(path)
    except AudioError as error:
        assert str(path) in str(error)
    else:
        assert np.isfinite(audio.samples).all()
        assert audio.samples.shape[1] > 0


def test_nothing_but_the_error_is_printed(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for number in range(20):
        (tmp_path / f"{number}.bin").write_bytes(b"\xff\xfb\x90\x44"[: number % 5] + random.bytes(5000))
    script = (
        "import sys, pathlib\n"
        "from callscope_preprocessing.decode import decode\n"
        "from callscope_preprocessing.errors import AudioError\n"
        "for path in pathlib.Path(sys.argv[1]).iterdir():\n"
        "    try: decode(path)\n"
        "    except AudioError: pass\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert (result.stdout, result.stderr) == ("", "")
