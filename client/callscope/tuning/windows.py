"""Windows of recorded calls, as requests to measure a server with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from callscope.errors import SettingsInvalid
from callscope.packing import pack_call
from callscope.preparation import prepare, read_call
from callscope.settings import Settings
from callscope.steps import Record
from callscope.triton.transcriber import UNSPECIFIED, Transcriber, token_limit

SUFFIXES = frozenset({".wav", ".flac", ".mp3", ".ogg", ".m4a"})
Request = dict[str, NDArray[Any]]


def read_windows(folder: Path, transcriber: Transcriber, settings: Settings) -> list[Request]:
    """Requests to `transcribe`, one for each window of the recordings in a folder.

    Args:
        folder: of recordings.
        transcriber: whose windows they are.
        settings: of these, what the pipeline cuts by.

    Raises:
        SettingsInvalid: there is no recording, or nobody speaks in any.
        AudioError: one of them cannot be read as sound.
    """
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in SUFFIXES)
    found = [request for path in paths for request in _requests(path, transcriber, settings)]
    if not found:
        raise SettingsInvalid(f"{folder} holds no recording with speech. Name a folder of calls with --calls.")
    return found


def _requests(path: Path, transcriber: Transcriber, settings: Settings) -> Sequence[Request]:
    chunks = pack_call(prepare(read_call(path, settings), settings, Record()), transcriber, settings)
    samples, limit = transcriber.model.window_samples, transcriber.model.max_tokens
    return [
        {
            "audio": chunk.window(samples)[np.newaxis],
            "language": np.array([[UNSPECIFIED]], np.int32),
            "task": np.array([[UNSPECIFIED]], np.int32),
            "max_tokens": np.array([[token_limit(chunk.speech_s, limit)]], np.int32),
            "temperature": np.zeros((1, 1), np.float32),
        }
        for chunk in chunks
    ]
