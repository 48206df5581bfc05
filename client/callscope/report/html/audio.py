"""The recording behind a page: a file beside it, or carried in it."""

from __future__ import annotations

import base64
import os
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

from callscope.errors import ResultUnwritable
from callscope_preprocessing.source import STANDARD_INPUT

MOST_EMBEDDED_BYTES = 256 * 2**20
_TYPES = {
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".mp4": "audio/mp4",
    ".aac": "audio/aac",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".flac": "audio/flac",
    ".webm": "audio/webm",
}


class Way(StrEnum):
    """How a page comes by its recording."""

    LINK = "link"
    EMBED = "embed"


def player_source(recording: Path, page: Path, way: Way) -> str | None:
    """What `write` takes as `audio`; None for standard input, which cannot be heard again.

    Raises:
        ResultUnwritable: see `embed`.
    """
    if recording == STANDARD_INPUT:
        return None
    return link(recording, page) if way is Way.LINK else embed(recording)


def link(recording: Path, page: Path) -> str:
    """The recording's path as seen from the page, so that both can be moved together."""
    path = os.path.relpath(recording.resolve(), page.resolve().parent)
    return "./" + quote(os.fsencode(Path(path).as_posix()))


def embed(recording: Path) -> str:
    """The recording as a `data:` URI, a third longer than the file. Browsers play what they know by its suffix.

    Raises:
        ResultUnwritable: the file cannot be read, or is over 256 MiB, which browsers refuse.
    """
    try:
        sound = _bytes(recording)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ResultUnwritable(f"{recording} cannot be put into the page ({reason}). Link to it instead.") from error
    kind = _TYPES.get(recording.suffix.lower(), "application/octet-stream")
    return f"data:{kind};base64,{base64.b64encode(sound).decode()}"


def _bytes(recording: Path) -> bytes:
    if recording.stat().st_size > MOST_EMBEDDED_BYTES:
        raise ResultUnwritable(f"{recording} is too large to be put into the page. Link to it instead.")
    return recording.read_bytes()
