"""Who reads a recording: libsndfile what it knows best, FFmpeg the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress

from callscope_preprocessing.errors import AudioEmpty, AudioUnrecognised
from callscope_preprocessing.ffmpeg import open_ffmpeg, open_raw_ffmpeg
from callscope_preprocessing.header import Declaration
from callscope_preprocessing.limits import Limits
from callscope_preprocessing.raw import RawFormat
from callscope_preprocessing.sndfile import open_raw_sndfile, open_sndfile
from callscope_preprocessing.source import Source
from callscope_preprocessing.stream import Stream

Reader = Callable[[Source], AbstractContextManager[Stream]]

HEAD_BYTES = 512
CONTROL_BYTES = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1b")
MPEG_TAGS = (b"\x50\0", b"\x55\0", b"\0\x50", b"\0\x55")
LOSSLESS = (b"RIFF", b"RIFX", b"RF64", b"FORM", b".snd", b"dns.", b"caff", b"riff", b"NIST_1A", b"Creative V")


@contextmanager
def open_stream(
    source: Source, declaration: Declaration | None, limits: Limits, raw: RawFormat | None
) -> Iterator[Stream]:
    """Start decoding.

    Args:
        source: the recording.
        declaration: what its header declares.
        limits: what its rate and its channels are checked against.
        raw: what it holds, if it has no header.

    Raises:
        AudioEmpty: it has 0 bytes, or no sound.
        AudioUnrecognised: no reader knows it.
        AudioUnsupported: it has a rate or a number of channels that no call has.
    """
    source.file.seek(0)
    head = source.file.read(HEAD_BYTES)
    if not head:
        raise AudioEmpty(f"{source.name} is empty (0 bytes). Record or fetch it again.")
    with ExitStack() as stack:
        if raw is not None:
            limits.require_plausible(source.name, raw.rate_hz, raw.channels)
            open_raw = open_raw_sndfile if raw.details.subtype else open_raw_ffmpeg
            stream = stack.enter_context(open_raw(source, raw))
        else:
            stream = _open_by_header(source, head, declaration, stack)
        limits.require_plausible(source.name, stream.rate_hz, stream.channels)
        yield stream


def _open_by_header(source: Source, head: bytes, declaration: Declaration | None, stack: ExitStack) -> Stream:
    streamed = declaration is not None and declaration.declared_bytes is None
    for_sndfile = head.startswith(LOSSLESS) and not streamed and not _is_mpeg_in_wav(head)
    readers = (open_sndfile, open_ffmpeg) if for_sndfile else (open_ffmpeg,)
    try:
        return _first_to_open(source, readers, stack)
    except AudioUnrecognised as error:
        if _is_text(head):
            raise AudioUnrecognised(f"{source.name} holds text, not sound. Name the recording itself.") from error
        raise


def _first_to_open(source: Source, readers: Sequence[Reader], stack: ExitStack) -> Stream:
    *others, last = readers
    for reader in others:
        with suppress(AudioUnrecognised):
            return stack.enter_context(reader(source))
    return stack.enter_context(last(source))


def _is_mpeg_in_wav(head: bytes) -> bool:
    """Tell MP3 by its format tag: libsndfile would print what it thinks of it."""
    start = head.find(b"fmt ")
    tags = (head[start + 8 : start + 10], head[start + 32 : start + 34])
    return start >= 0 and any(tag in MPEG_TAGS for tag in tags)


def _is_text(head: bytes) -> bool:
    return not head.startswith(LOSSLESS) and not any(byte in CONTROL_BYTES for byte in head)
