"""Sound read by libsndfile: uncompressed and lossless formats."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import numpy as np
import soundfile  # type: ignore[import-untyped]  # ships no types

from callscope_preprocessing.audio import Samples
from callscope_preprocessing.errors import damaged, unrecognised
from callscope_preprocessing.stream import Stream

BLOCK_FRAMES = 1 << 16
UNKNOWN_FRAMES = 1 << 60


@contextmanager
def open_sndfile(path: Path, file: FileIO) -> Iterator[Stream]:
    """Open `file` with libsndfile.

    Raises:
        AudioUnrecognised: libsndfile does not know the format, or knows it too badly: it stops an MP3 without a
            length header at an estimate, which can lose most of the sound.
    """
    file.seek(0)
    try:
        sound = soundfile.SoundFile(file.fileno(), closefd=False)
    except soundfile.SoundFileError as error:
        raise unrecognised(path) from error
    with sound:
        if sound.subtype.startswith("MPEG"):
            raise unrecognised(path)
        declared = sound.frames / sound.samplerate if 0 < sound.frames < UNKNOWN_FRAMES else None
        yield Stream(sound.samplerate, sound.channels, declared, _blocks(path, sound))


def _blocks(path: Path, sound: soundfile.SoundFile) -> Iterator[Samples]:
    frames = 0
    while True:
        try:
            block = sound.read(BLOCK_FRAMES, dtype="float32", always_2d=True)
        except soundfile.SoundFileError as error:
            raise damaged(path, frames / sound.samplerate) from error
        if not len(block):
            return
        frames += len(block)
        yield np.ascontiguousarray(block.T)
