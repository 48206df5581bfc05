"""The recording behind a page: a file beside it, or carried in it."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from urllib.parse import quote

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


def link(recording: Path, page: Path) -> str:
    """The recording's path as seen from the page, so that both can be moved together."""
    path = os.path.relpath(recording.resolve(), page.resolve().parent)
    return quote(f"./{Path(path).as_posix()}")


def embed(recording: Path) -> str:
    """The recording as a `data:` URI, a third longer than the file. Browsers play what they know by its suffix.

    Raises:
        OSError: the file cannot be read.
    """
    kind = _TYPES.get(recording.suffix.lower(), "application/octet-stream")
    return f"data:{kind};base64,{base64.b64encode(recording.read_bytes()).decode()}"
