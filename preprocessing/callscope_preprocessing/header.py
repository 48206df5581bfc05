"""How many bytes of sound a header declares, and how many are there.

Decoders quietly shorten a file whose header declares too much, so the declaration is read here, apart from them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

CHUNKS_READ = 10_000
MP3_HEAD_BYTES = 256


@dataclass(frozen=True, slots=True)
class Declaration:
    """The stretch of a file that holds the sound.

    Attributes:
        declared_bytes: its length by the header; None where the writer did not know it (a recording from a pipe).
        present_bytes: what the file has from its start on.
        unit_bytes: the smallest amount that matters: less than this may be missing as padding.
    """

    declared_bytes: int | None
    present_bytes: int
    unit_bytes: int = 2

    @property
    def share(self) -> float:
        """How much of the declared sound is there, 0 to 1."""
        return min(1.0, self.present_bytes / self.declared_bytes) if self.declared_bytes else 1.0

    @property
    def is_cut(self) -> bool:
        """True when more is missing than padding."""
        return self.declared_bytes is not None and self.declared_bytes - self.present_bytes >= self.unit_bytes


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a family of files lays out its chunks."""

    first: int
    head: struct.Struct
    data: tuple[bytes, ...]
    align: int = 1
    size_first: bool = False
    size_counts_head: bool = False


@dataclass(frozen=True, slots=True)
class _Chunk:
    kind: bytes
    start: int
    size: int


_RIFF = _Layout(12, struct.Struct("<4sI"), (b"data",), align=2)
_LAYOUTS = {
    b"RIFF": _RIFF,
    b"RF64": _RIFF,
    b"BW64": _RIFF,
    b"RIFX": _Layout(12, struct.Struct(">4sI"), (b"data",), align=2),
    b"FORM": _Layout(12, struct.Struct(">4sI"), (b"SSND",), align=2),
    b"caff": _Layout(8, struct.Struct(">4sQ"), (b"data",)),
    b"riff": _Layout(
        40, struct.Struct("<16sQ"), (b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0O\x8e\xdb\x8a",), 8, False, True
    ),
}
_MP4 = _Layout(0, struct.Struct(">I4s"), (b"mdat", b"moov"), size_first=True, size_counts_head=True)
_RIFF_SIZE = struct.Struct("<I")
_LARGE_SIZE = struct.Struct(">Q")
_DS64 = struct.Struct("<QQ")
_UNKNOWN = 0xFFFFFFFF
_AU = (b".snd", b"dns.")


def read_declaration(file: BinaryIO) -> Declaration | None:
    """Read what the header declares; None for formats that declare no number of bytes, and for broken headers.

    Moves the position of `file`.
    """
    file_bytes = file.seek(0, 2)
    magic = _read(file, 0, 12)
    if magic[:4] in _AU:
        return _read_au(file, file_bytes)
    layout = _MP4 if magic[4:8] == b"ftyp" else _LAYOUTS.get(magic[:4])
    if layout is None or (magic[:4] == b"RIFF" and magic[8:12] != b"WAVE"):
        return None
    unit_bytes, data_bytes = 2, None
    found = None
    for chunk in _walk(file, layout, file_bytes):
        if chunk.kind == b"fmt " and layout.data == (b"data",):
            unit_bytes = max(2, _block_align(_read(file, chunk.start, 16), magic))
        elif chunk.kind == b"ds64":
            data_bytes = _DS64.unpack(_read(file, chunk.start, 16).ljust(16, b"\0"))[1]
        elif chunk.kind in layout.data:
            found = Declaration(data_bytes or chunk.size, file_bytes - chunk.start, unit_bytes)
            if found.is_cut or layout is not _MP4:
                break
    if found is not None and _is_unknown(found, magic, file_bytes):
        return Declaration(None, found.present_bytes, unit_bytes)
    return found


def states_mp3_length(file: BinaryIO) -> bool:
    """Tell whether an MP3 counts its frames in its first one (Xing, Info); keeps the position of `file`."""
    position = file.tell()
    tag = _read(file, 0, 10)
    tag_bytes = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0), strict=False))
    head = _read(file, tag_bytes if tag[:3] == b"ID3" else 0, MP3_HEAD_BYTES)
    file.seek(position)
    return b"Xing" in head or b"Info" in head


def _read_au(file: BinaryIO, file_bytes: int) -> Declaration:
    magic, start, size = struct.Struct(">4sII").unpack(_read(file, 0, 12).ljust(12, b"\0"))
    if magic == b"dns.":
        start, size = struct.unpack("<II", _read(file, 4, 8).ljust(8, b"\0"))
    return Declaration(None if size == _UNKNOWN else size, max(file_bytes - start, 0))


def _read(file: BinaryIO, start: int, size: int) -> bytes:
    file.seek(start)
    return file.read(size)


def _walk(file: BinaryIO, layout: _Layout, file_bytes: int) -> Iterator[_Chunk]:
    position = layout.first
    for _ in range(CHUNKS_READ):
        if position > file_bytes:
            return
        head = _read(file, position, layout.head.size)
        if len(head) < layout.head.size:
            return
        first, second = layout.head.unpack(head)
        size, kind = (first, second) if layout.size_first else (second, first)
        start = position + layout.head.size
        if layout is _MP4 and size <= 1:
            large = _read(file, start, 8)
            size = _LARGE_SIZE.unpack(large.ljust(8, b"\0"))[0] if size == 1 else file_bytes - position
        if layout.size_counts_head:
            size -= layout.head.size
        if size < 0:
            return
        yield _Chunk(kind, start, size)
        position = start + size + -(start + size) % layout.align


def _block_align(format_chunk: bytes, magic: bytes) -> int:
    order = ">" if magic[:4] == b"RIFX" else "<"
    return int(struct.unpack_from(f"{order}H", format_chunk.ljust(16, b"\0"), 12)[0])


def _is_unknown(found: Declaration, magic: bytes, file_bytes: int) -> bool:
    """A writer that cannot go back leaves a placeholder: the largest number or half of it, or 0 in an open header."""
    size = found.declared_bytes or 0
    if size == 0 and magic[:4] == b"RIFF":
        return found.present_bytes > 0 and _RIFF_SIZE.unpack(magic[4:8])[0] + 8 != file_bytes
    largest = size in range(_UNKNOWN - 255, _UNKNOWN + 1) or size > 1 << 62
    half = size in range((1 << 31) - 4096 - 255, (1 << 31) + 256)
    return largest or half
