"""How families of files lay out their sections: RIFF and its kin, AIFF, CAF, Wave64 and MP4."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

SECTIONS_READ = 10_000


@dataclass(frozen=True, slots=True)
class Layout:
    """How a family of files lays out its sections.

    Attributes:
        first: where the first one begins, in bytes.
        head: a section's name and length, in this order.
        data: names of those that hold sound.
        align: where the next one may begin.
        size_first: whether the length stands before the name.
        size_counts_head: whether the length counts the head too.
    """

    first: int
    head: struct.Struct
    data: tuple[bytes, ...]
    align: int = 1
    size_first: bool = False
    size_counts_head: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of a file: its name, its first byte after the head, and its length by the head, in bytes."""

    kind: bytes
    start: int
    size: int


_RIFF = Layout(12, struct.Struct("<4sI"), (b"data",), align=2)
_LAYOUTS = {
    b"RIFF": _RIFF,
    b"RF64": _RIFF,
    b"BW64": _RIFF,
    b"RIFX": Layout(12, struct.Struct(">4sI"), (b"data",), align=2),
    b"FORM": Layout(12, struct.Struct(">4sI"), (b"SSND",), align=2),
    b"caff": Layout(8, struct.Struct(">4sQ"), (b"data",)),
    b"riff": Layout(
        40, struct.Struct("<16sQ"), (b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0O\x8e\xdb\x8a",), 8, False, True
    ),
}
MP4 = Layout(0, struct.Struct(">I4s"), (b"mdat", b"moov"), size_first=True, size_counts_head=True)
_LARGE_SIZE = struct.Struct(">Q")


def layout_of(magic: bytes) -> Layout | None:
    """By a file's first 12 bytes; None for a family that is not known here."""
    return MP4 if magic[4:8] == b"ftyp" else _LAYOUTS.get(magic[:4])


def read_bytes(file: BinaryIO, start: int, size: int) -> bytes:
    """Bytes from `start` on, fewer at the end of the file."""
    file.seek(start)
    return file.read(size)


def walk(file: BinaryIO, layout: Layout, file_bytes: int) -> Iterator[Section]:
    """Sections in order, as far as their lengths lead."""
    position = layout.first
    for _ in range(SECTIONS_READ):
        if position > file_bytes:
            return
        head = read_bytes(file, position, layout.head.size)
        if len(head) < layout.head.size:
            return
        first, second = layout.head.unpack(head)
        size, kind = (first, second) if layout.size_first else (second, first)
        start = position + layout.head.size
        if layout is MP4 and size <= 1:
            large = read_bytes(file, start, 8)
            size = _LARGE_SIZE.unpack(large.ljust(8, b"\0"))[0] if size == 1 else file_bytes - position
        if layout.size_counts_head:
            size -= layout.head.size
        if size < 0:
            return
        yield Section(kind, start, size)
        position = start + size + -(start + size) % layout.align
