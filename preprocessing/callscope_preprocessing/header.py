"""How many bytes of sound a header declares, and how many are there.

Decoders quietly shorten a file whose header declares too much, so the declaration is read here, apart from them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from callscope_preprocessing.layouts import MP4, layout_of, read_bytes, walk

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


_RIFF_SIZE = struct.Struct("<I")
_DS64 = struct.Struct("<QQ")
_UNKNOWN = 0xFFFFFFFF
_AU = (b".snd", b"dns.")


def read_declaration(file: BinaryIO) -> Declaration | None:
    """Read what the header declares; None for formats that declare no number of bytes, and for broken headers.

    Moves the position of `file`.
    """
    file_bytes = file.seek(0, 2)
    magic = read_bytes(file, 0, 12)
    if magic[:4] in _AU:
        return _read_au(file, file_bytes)
    layout = layout_of(magic)
    if layout is None or (magic[:4] == b"RIFF" and magic[8:12] != b"WAVE"):
        return None
    unit_bytes, data_bytes = 2, None
    found = None
    for chunk in walk(file, layout, file_bytes):
        if chunk.kind == b"fmt " and layout.data == (b"data",):
            unit_bytes = max(2, _block_align(read_bytes(file, chunk.start, 16), magic))
        elif chunk.kind == b"ds64":
            data_bytes = _DS64.unpack(read_bytes(file, chunk.start, 16).ljust(16, b"\0"))[1]
        elif chunk.kind in layout.data:
            found = Declaration(data_bytes or chunk.size, file_bytes - chunk.start, unit_bytes)
            if found.is_cut or layout is not MP4:
                break
    if found is not None and _is_unknown(found, magic, file_bytes):
        return Declaration(None, found.present_bytes, unit_bytes)
    return found


def states_mp3_length(file: BinaryIO) -> bool:
    """Tell whether an MP3 counts its frames in its first one (Xing, Info); keeps the position of `file`."""
    position = file.tell()
    tag = read_bytes(file, 0, 10)
    tag_bytes = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0), strict=False))
    head = read_bytes(file, tag_bytes if tag[:3] == b"ID3" else 0, MP3_HEAD_BYTES)
    file.seek(position)
    return b"Xing" in head or b"Info" in head


def _read_au(file: BinaryIO, file_bytes: int) -> Declaration:
    magic, start, size = struct.Struct(">4sII").unpack(read_bytes(file, 0, 12).ljust(12, b"\0"))
    if magic == b"dns.":
        start, size = struct.unpack("<II", read_bytes(file, 4, 8).ljust(8, b"\0"))
    return Declaration(None if size == _UNKNOWN else size, max(file_bytes - start, 0))


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
