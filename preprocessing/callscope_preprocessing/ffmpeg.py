"""Sound read by FFmpeg (PyAV): compressed formats, and the sound of videos."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer

from callscope_preprocessing.audio import Samples
from callscope_preprocessing.errors import AudioEmpty, damaged, unrecognised
from callscope_preprocessing.header import states_mp3_length
from callscope_preprocessing.stream import Stream

# Playlists and the like can name other files and addresses: only formats that hold their own sound are opened.
FORMATS = (
    "aac ac3 aiff amr amrnb amrwb ape asf au avi caf dts eac3 flac flv gsm latm loas matroska mov mp3 mpeg mpegts "
    "nistsphere nut ogg rm sox spdif tta voc w64 wav wv"
)
# Formats whose header states the length; elsewhere FFmpeg's figure is an estimate from the bit rate.
STATES_LENGTH = frozenset({"matroska,webm", "flac"})
GAP_S = 0.1
FILL_S = 1.0


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
    options = {"format_whitelist": FORMATS.replace(" ", ","), "protocol_whitelist": "none"}
    try:
        # Tags are often in legacy Japanese and Korean encodings, which must not stop the sound.
        return av.open(file, "r", metadata_errors="replace", container_options=options)
    except av.error.FFmpegError as error:
        raise unrecognised(path) from error


def _declared_s(container: InputContainer, file: FileIO) -> float | None:
    """Length by the header, where it states one and it is the sound's: a video may be longer than its sound."""
    stated = container.format.name in STATES_LENGTH or (container.format.name == "mp3" and states_mp3_length(file))
    if not stated or len(container.streams) != 1 or container.duration is None:
        return None
    return container.duration / av.time_base


def _frames(path: Path, container: InputContainer) -> Iterator[av.AudioFrame]:
    decoded_s = 0.0
    try:
        for frame in container.decode(container.streams.audio[0]):
            decoded_s += frame.samples / (frame.sample_rate or 1)
            yield frame
    except (av.error.FFmpegError, ValueError) as error:
        raise damaged(path, decoded_s) from error


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
            resampler = av.AudioResampler("fltp", first.layout, first.sample_rate)
            kind = frame_kind
        for out in resampler.resample(frame):
            yield frame, out.to_ndarray().astype(np.float32, copy=False)


def _chain(first: av.AudioFrame, rest: Iterator[av.AudioFrame]) -> Iterator[av.AudioFrame]:
    yield first
    yield from rest
