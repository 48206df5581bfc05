"""Sound read by FFmpeg (PyAV): compressed formats, and the sound of videos."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import av
import numpy as np
from av.audio import AudioStream
from av.container import InputContainer

from callscope_preprocessing.audio import Samples
from callscope_preprocessing.errors import AudioEmpty, damaged, unrecognised
from callscope_preprocessing.header import states_mp3_length
from callscope_preprocessing.stream import Stream

# Playlists and the like can name other files and addresses: only formats that hold their own sound are opened.
FORMATS = (
    "aac ac3 aiff amr amrnb amrwb ape asf au avi avr caf dts eac3 epaf flac flv gsm iff ircam latm loas matroska mov "
    "mp3 mpeg mpegts nistsphere nut ogg pvf rm sox spdif tta voc w64 wav wv"
)
# Formats whose header states the length; elsewhere FFmpeg's figure is an estimate from the bit rate.
STATES_LENGTH = frozenset({"matroska,webm", "flac"})
GAP_S = 0.1
FILL_S = 1.0
BAD_PACKETS = 0.01

logger = logging.getLogger(__name__)


@contextmanager
def open_ffmpeg(path: Path, file: FileIO) -> Iterator[Stream]:
    """Open `file` with FFmpeg and start decoding its first sound track.

    Raises:
        AudioUnrecognised: FFmpeg does not know the format.
        AudioCorrupt: the track does not decode at all.
        AudioEmpty: there is no sound track, or no sound in it.
    """
    file.seek(0)
    with _open_container(path, file) as container:
        if not container.streams.audio:
            raise AudioEmpty(f"{path} has no sound track. Name a file with sound.")
        frames = _frames(path, container)
        first = next(frames, None)
        if first is None:
            raise AudioEmpty(f"{path} holds no sound: its length is 0 s. Check how it was recorded.")
        yield Stream(
            first.sample_rate, len(first.layout.channels), _declared_s(container, file), _blocks(first, frames)
        )


def _open_container(path: Path, file: FileIO) -> InputContainer:
    options = {
        "fd": str(file.fileno()),
        "format_whitelist": FORMATS.replace(" ", ","),
        "protocol_whitelist": "fd",
    }
    try:
        # Tags are often in legacy Japanese and Korean encodings, which must not stop the sound.
        return av.open("fd:", "r", metadata_errors="replace", container_options=options)
    except av.error.FFmpegError as error:
        raise unrecognised(path) from error


def _declared_s(container: InputContainer, file: FileIO) -> float | None:
    """Length by the header, where it states one and it is the sound's: a video may be longer than its sound."""
    stated = container.format.name in STATES_LENGTH or (container.format.name == "mp3" and states_mp3_length(file))
    if not stated or len(container.streams) != 1 or container.duration is None:
        return None
    return container.duration / av.time_base


def _frames(path: Path, container: InputContainer) -> Iterator[av.AudioFrame]:
    """Decoded frames, without the few packets that do not decode: their timestamps leave a gap, filled later."""
    decoded_s, packets, bad = 0.0, 0, 0
    try:
        for packet in container.demux(container.streams.audio[0]):
            frames = _decoded(packet)
            packets, bad = packets + 1, bad + (frames is None)
            for frame in frames or ():
                decoded_s += frame.samples / (frame.sample_rate or 1)
                yield frame
    except av.error.DecoderNotFoundError as error:
        raise unrecognised(path) from error
    except (av.error.FFmpegError, ValueError) as error:
        raise damaged(path, decoded_s) from error
    if bad > max(1, BAD_PACKETS * packets) or (bad and not decoded_s):
        raise damaged(path, decoded_s)
    if bad:
        logger.warning("%s: %d of %d packets do not decode and are silent.", path, bad, packets)


def _decoded(packet: av.Packet[AudioStream]) -> list[av.AudioFrame] | None:
    try:
        return packet.decode()
    except av.error.DecoderNotFoundError:
        raise
    except av.error.FFmpegError:
        return None


def _blocks(first: av.AudioFrame, rest: Iterator[av.AudioFrame]) -> Iterator[Samples]:
    """Decoded sound as float32, shape (channels, frames), with silence where timestamps leave a gap."""
    channels, rate_hz = len(first.layout.channels), first.sample_rate
    frames_out = 0
    for frame, samples in _converted(first, rest):
        for fill in _silence(_gap_frames(first, frame, frames_out), channels, rate_hz):
            frames_out += fill.shape[1]
            yield fill
        frames_out += samples.shape[1]
        yield samples


def _gap_frames(first: av.AudioFrame, frame: av.AudioFrame, frames_out: int) -> int:
    if frame.pts is None or first.pts is None or frame.time_base is None:
        return 0
    at_s = float((frame.pts - first.pts) * frame.time_base)
    missing = round(at_s * first.sample_rate) - frames_out
    return missing if missing > GAP_S * first.sample_rate else 0


def _silence(frames: int, channels: int, rate_hz: int) -> Iterator[Samples]:
    block_frames = round(FILL_S * rate_hz)
    for start in range(0, frames, block_frames):
        yield np.zeros((channels, min(block_frames, frames - start)), np.float32)


def _converted(first: av.AudioFrame, rest: Iterator[av.AudioFrame]) -> Iterator[tuple[av.AudioFrame, Samples]]:
    """Each frame with its samples in the first frame's layout and rate: some streams change theirs on the way."""
    resampler, kind = None, None
    for frame in _chain(first, rest):
        frame_kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if resampler is None or frame_kind != kind:
            # Packed, because PyAV reads past the end of a frame of eight planes or more.
            resampler = av.AudioResampler("flt", first.layout, first.sample_rate)
            kind = frame_kind
        for out in resampler.resample(frame):
            yield frame, np.ascontiguousarray(out.to_ndarray().reshape(out.samples, -1).T, np.float32)


def _chain(first: av.AudioFrame, rest: Iterator[av.AudioFrame]) -> Iterator[av.AudioFrame]:
    yield first
    yield from rest
