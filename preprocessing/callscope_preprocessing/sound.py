"""A recording becomes `Sound`: its channels on disk, and what it was."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from callscope_preprocessing.audio import Samples
from callscope_preprocessing.completeness import require_whole, truncated_bytes
from callscope_preprocessing.digest import digesting
from callscope_preprocessing.errors import AudioCorrupt, AudioEmpty, AudioUnrecognised
from callscope_preprocessing.header import Declaration, read_declaration
from callscope_preprocessing.limits import DEFAULT, Limits
from callscope_preprocessing.pcm import Pcm, to_int16
from callscope_preprocessing.raw import RawFormat
from callscope_preprocessing.readers import open_stream
from callscope_preprocessing.source import Source, open_source
from callscope_preprocessing.stream import Block, Stream
from callscope_preprocessing.track import Track, TrackWriter

MAX_PEAK = 100.0


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording, decoded.

    Attributes:
        tracks: one for each channel, in the file's order, all of one rate and length.
        sha256: of the file's bytes, as hexadecimal digits.
        container: the format of the file ("wav", "mp4", "raw").
        codec: how the sound was coded, by FFmpeg's name without the order of bytes ("pcm_mulaw", "pcm_s16", "aac").
    """

    tracks: tuple[Track, ...]
    sha256: str
    container: str
    codec: str

    @property
    def rate_hz(self) -> int:
        """Samples a second."""
        return self.tracks[0].rate_hz

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.tracks[0].duration_s


def read_sound(
    source: Path, *, limits: Limits = DEFAULT, raw: RawFormat | None = None, name: str | None = None
) -> Sound:
    """Decode a recording: WAV and other libsndfile formats, and whatever FFmpeg reads, sound of videos included.

    The header is not believed: the limits count decoded sound, and sound that the header declares and the file does
    not hold is an error. A recording from a pipe, whose header declares no length, is read to its end.

    Args:
        source: the file, or `-` for standard input.
        limits: the most that is read.
        raw: what the file holds, if it has no header.
        name: what to call it when something is wrong with it; None: its path.

    Returns:
        All channels at the file's own rate, rounded to 16 bits.

    Raises:
        AudioError: one of its subclasses, saying what is wrong with the file and what to do.
    """
    with open_source(source, limits, name) as opened, digesting(opened.file) as sha256:
        declaration = None if raw else read_declaration(opened.file)
        with _saying_what_is_cut(opened, declaration), open_stream(opened, declaration, limits, raw) as stream:
            tracks = _collect(opened.name, stream, limits)
        require_whole(opened, tracks[0].duration_s, stream.declared_s, declaration)
        return Sound(tracks, sha256(), stream.container, stream.codec)


@contextmanager
def _saying_what_is_cut(source: Source, declaration: Declaration | None) -> Iterator[None]:
    """A file that is cut short is not called anything worse."""
    try:
        yield
    except (AudioCorrupt, AudioEmpty, AudioUnrecognised) as error:
        if declaration is not None and declaration.is_cut:
            raise truncated_bytes(source, declaration) from error
        raise


def _collect(name: str, stream: Stream, limits: Limits) -> tuple[Track, ...]:
    """All blocks, a track for each channel."""
    writers = [TrackWriter(stream.rate_hz) for _ in range(stream.channels)]
    frames = 0
    for block in stream.blocks:
        frames += block.shape[1]
        limits.require_room(name, frames, stream.rate_hz, stream.channels)
        for writer, channel in zip(writers, _pcm(name, block, frames / stream.rate_hz), strict=True):
            writer.write(channel)
    if not frames:
        raise AudioEmpty(f"{name} holds no sound: its length is 0 s. Check how it was recorded.")
    return tuple(writer.finish() for writer in writers)


def _pcm(name: str, block: Block, end_s: float) -> Pcm:
    """The block as int16."""
    if block.dtype == np.int16:
        return cast("Pcm", block)
    floats = cast("Samples", block)
    _require_sound(name, floats, end_s)
    return to_int16(floats)


def _require_sound(name: str, block: Samples, end_s: float) -> None:
    """Reject values that are no sound; full scale is 1, and mixers leave a little more."""
    peak = max(float(block.max(initial=0.0)), -float(block.min(initial=0.0)))
    if not math.isfinite(peak):
        raise AudioCorrupt(
            f"{name} holds samples that are no finite numbers (NaN or infinity), before second {math.ceil(end_s)}. "
            "Export it again from the program that wrote it."
        )
    if peak > MAX_PEAK:
        raise AudioCorrupt(
            f"{name} holds samples of {peak:.3g}, where full scale is 1. Scale it, or write it as 16-bit PCM."
        )
