"""A recording on disk becomes `Audio`."""

from __future__ import annotations

import math
import shlex
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from io import FileIO
from pathlib import Path

import numpy as np

from callscope_preprocessing.audio import Audio, Samples
from callscope_preprocessing.errors import (
    AudioCorrupt,
    AudioEmpty,
    AudioTooLong,
    AudioTruncated,
    AudioUnrecognised,
    AudioUnsupported,
)
from callscope_preprocessing.ffmpeg import open_ffmpeg
from callscope_preprocessing.header import Declaration, read_declaration
from callscope_preprocessing.sndfile import open_sndfile
from callscope_preprocessing.source import open_file
from callscope_preprocessing.stream import Stream

Reader = Callable[[Path, FileIO], AbstractContextManager[Stream]]

MAX_DURATION_S = 4 * 3600.0
MIN_RATE_HZ = 4_000
MAX_RATE_HZ = 384_000
MAX_CHANNELS = 32
MAX_VALUES = 1 << 31
MAX_PEAK = 100.0
PAGE_VALUES = 1 << 24
SHORTFALL_S = 0.25
HEAD_BYTES = 512
SECONDS_SHOWN_BELOW = 120
MINUTES_AN_HOUR = 60
CONTROL_BYTES = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1b")
LOSSLESS = (b"RIFF", b"RIFX", b"RF64", b"FORM", b".snd", b"dns.", b"caff", b"riff", b"NIST_1A", b"Creative V")


def decode(path: Path, *, max_duration_s: float = MAX_DURATION_S) -> Audio:
    """Decode a recording: WAV and other libsndfile formats, and whatever FFmpeg reads, sound of videos included.

    The header is not believed: the limit counts decoded sound, and sound that the header declares and the file does
    not hold is an error. A recording from a pipe, whose header declares no length, is read to its end.

    Args:
        path: the file.
        max_duration_s: the longest sound to read, in seconds.

    Returns:
        All channels at the file's own rate, within [-1, 1].

    Raises:
        AudioError: one of its subclasses, saying what is wrong with the file and what to do.
    """
    with open_file(path) as file:
        declaration = read_declaration(file)
        try:
            with _open_stream(path, file, declaration) as stream:
                samples = _collect(path, stream, max_duration_s)
        except (AudioCorrupt, AudioEmpty, AudioUnrecognised) as error:
            if declaration is not None and declaration.is_cut:
                raise _truncated_bytes(path, declaration) from error
            raise
    audio = Audio(samples, stream.rate_hz)
    _require_whole(path, audio, stream.declared_s, declaration)
    return audio


@contextmanager
def _open_stream(path: Path, file: FileIO, declaration: Declaration | None) -> Iterator[Stream]:
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if not head:
        raise AudioEmpty(f"{path} is empty (0 bytes). Record or fetch it again.")
    streamed = declaration is not None and declaration.declared_bytes is None
    readers = (open_sndfile, open_ffmpeg) if head.startswith(LOSSLESS) and not streamed else (open_ffmpeg,)
    with ExitStack() as stack:
        try:
            stream = _first_to_open(path, file, readers, stack)
        except AudioUnrecognised as error:
            if _is_text(head):
                raise AudioUnrecognised(f"{path} holds text, not sound. Name the recording itself.") from error
            raise
        _require_plausible(path, stream)
        yield stream


def _first_to_open(path: Path, file: FileIO, readers: Sequence[Reader], stack: ExitStack) -> Stream:
    *others, last = readers
    for reader in others:
        with suppress(AudioUnrecognised):
            return stack.enter_context(reader(path, file))
    return stack.enter_context(last(path, file))


def _is_text(head: bytes) -> bool:
    return not head.startswith(LOSSLESS) and not any(byte in CONTROL_BYTES for byte in head)


def _require_plausible(path: Path, stream: Stream) -> None:
    if not MIN_RATE_HZ <= stream.rate_hz <= MAX_RATE_HZ:
        raise AudioUnsupported(
            f"{path} has {stream.rate_hz:,} samples a second, and a call has {MIN_RATE_HZ:,} to {MAX_RATE_HZ:,}. "
            "Check that its header is right, or convert it."
        )
    if not 1 <= stream.channels <= MAX_CHANNELS:
        raise AudioUnsupported(
            f"{path} has {stream.channels:,} channels, and at most {MAX_CHANNELS} are read. "
            "Check that its header is right, or take out the channels of the call."
        )


def _collect(path: Path, stream: Stream, max_duration_s: float) -> Samples:
    """All blocks in one array, shape (channels, frames)."""
    pages = deque(_pages(_checked(path, stream, max_duration_s), stream.channels))
    if not pages:
        raise AudioEmpty(f"{path} holds no sound: its length is 0 s. Check how it was recorded.")
    return _join(pages, stream.channels)


def _checked(path: Path, stream: Stream, max_duration_s: float) -> Iterator[Samples]:
    """The blocks within [-1, 1], until there are too many."""
    limit_frames = min(max_duration_s * stream.rate_hz, MAX_VALUES // stream.channels)
    frames = 0
    for block in stream.blocks:
        _require_sound(path, block, frames / stream.rate_hz)
        frames += block.shape[1]
        if frames > limit_frames:
            raise AudioTooLong(
                f"{path} lasts longer than {_duration(limit_frames / stream.rate_hz)}, the most that is read. "
                "Split it, or raise the limit (max_duration_s)."
            )
        yield np.clip(block, -1.0, 1.0, out=block)


def _pages(blocks: Iterable[Samples], channels: int) -> Iterator[Samples]:
    """The same sound in arrays so large that the system gets each back as soon as it is let go."""
    size = PAGE_VALUES // channels
    page, filled = np.empty((channels, size), np.float32), 0
    for block in blocks:
        done = 0
        while done < block.shape[1]:
            part = block[:, done : done + size - filled]
            page[:, filled : filled + part.shape[1]] = part
            filled, done = filled + part.shape[1], done + part.shape[1]
            if filled == size:
                yield page
                page, filled = np.empty((channels, size), np.float32), 0
    if filled:
        yield page[:, :filled]


def _join(pages: deque[Samples], channels: int) -> Samples:
    """Concatenate, letting go of each page once it is copied: a long call is held once, not twice."""
    samples = np.empty((channels, sum(page.shape[1] for page in pages)), np.float32)
    end = 0
    while pages:
        page = pages.popleft()
        samples[:, end : end + page.shape[1]] = page
        end += page.shape[1]
    return samples


def _require_sound(path: Path, block: Samples, start_s: float) -> None:
    """Reject values that are no sound; full scale is 1, and mixers leave a little more."""
    peak = float(np.abs(block).max(initial=0.0))
    if not math.isfinite(peak):
        raise AudioCorrupt(
            f"{path} holds samples that are no finite numbers (NaN or infinity), near second {start_s:.0f}. "
            "Export it again from the program that wrote it."
        )
    if peak > MAX_PEAK:
        raise AudioCorrupt(
            f"{path} holds samples of {peak:.3g}, where full scale is 1. Scale it, or write it as 16-bit PCM."
        )


def _require_whole(path: Path, audio: Audio, declared_s: float | None, declaration: Declaration | None) -> None:
    if declaration is not None and declaration.is_cut:
        if declaration.share == 0:
            raise _truncated_bytes(path, declaration)
        raise _truncated(path, audio.duration_s, audio.duration_s / declaration.share)
    if declared_s is not None and declared_s - audio.duration_s > SHORTFALL_S:
        raise _truncated(path, audio.duration_s, declared_s)


def _truncated_bytes(path: Path, declaration: Declaration) -> AudioTruncated:
    return AudioTruncated(
        f"{path} is cut short: it holds {math.floor(100 * declaration.share)} % of the bytes that its header declares. "
        "Fetch it again from its source."
    )


def _truncated(path: Path, present_s: float, declared_s: float) -> AudioTruncated:
    repaired = shlex.quote(f"{path.stem}-repaired.wav")
    return AudioTruncated(
        f"{path} is cut short: its header declares {_duration(declared_s)} and {_duration(present_s)} is there. "
        f"Fetch it again, or keep what is there: ffmpeg -i {shlex.quote(str(path))} {repaired}"
    )


def _duration(seconds: float) -> str:
    if seconds < SECONDS_SHOWN_BELOW:
        return f"{seconds:.2f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= MINUTES_AN_HOUR else f"{minutes} min"
