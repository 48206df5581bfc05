"""A transcript's file as text."""

from __future__ import annotations

import codecs
import hashlib
import stat
from dataclasses import dataclass
from pathlib import Path

from callscope.transcripts.errors import TranscriptInvalid

MAX_BYTES = 64 << 20
"""A day of talk with word times takes a tenth of it."""
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
PROBE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read.

    Attributes:
        path: as it was named.
        sha256: of its bytes.
        text: without a byte order mark.
        encoding: how the user said files are written; empty where nobody did.
    """

    path: Path
    sha256: str
    text: str
    encoding: str = ""

    def damaged(self, problem: str, place: str = "") -> TranscriptInvalid:
        """The error that says what is wrong with this file."""
        return TranscriptInvalid(str(self.path), problem, place)


def read_document(path: Path, encoding: str = "") -> Document:
    """Read a file as UTF-8; as UTF-16 or UTF-32 where it says so; as `encoding` where the user does.

    No other encoding is guessed: the bytes of Korean in CP949 are valid Shift JIS too, and mean nothing in it.

    Raises:
        TranscriptInvalid: there is no such file, or it is too large, or not in that encoding.
    """
    data = _bytes(path)
    mark, found = next(((mark, name) for mark, name in BYTE_ORDER_MARKS if data.startswith(mark)), (b"", ""))
    wanted = found or _without_mark(data) or encoding or "utf-8"
    try:
        text = data[len(mark) :].decode(wanted)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        advice = "Save it as UTF-8, or say how it is written with --encoding: cp949 for Korean, cp932 for Japanese"
        raise TranscriptInvalid(str(path), f"this is not {wanted.upper()}. {advice}", f"line {line}") from error
    return Document(path, hashlib.sha256(data).hexdigest(), text, encoding)


def _bytes(path: Path) -> bytes:
    try:
        kept = path.stat()
        if not stat.S_ISREG(kept.st_mode):
            raise TranscriptInvalid(str(path), "this is not a file. Name a transcript")
        if kept.st_size > MAX_BYTES:
            size = f"{kept.st_size / 1e6:.0f} MB"
            raise TranscriptInvalid(str(path), f"{size} is too large for a transcript. Name the transcript of one call")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TranscriptInvalid(str(path), f"it cannot be read ({reason}). Name a transcript that exists") from error


def _without_mark(data: bytes) -> str:
    """UTF-16 without a byte order mark: every other byte of digits, spaces and line ends is zero."""
    even, odd = data[:PROBE_BYTES:2].count(0), data[1:PROBE_BYTES:2].count(0)
    if even == odd:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"
