"""A path, or standard input, becomes a file that is open to read."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import IO

from callscope_preprocessing.errors import AudioError, AudioNotFound, AudioUnreadable, storage_full
from callscope_preprocessing.limits import Limits

STANDARD_INPUT = Path("-")
_STANDARD_INPUT_NUMBER = 0
_PART_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """A recording that is open.

    Attributes:
        name: what to call it when something is wrong with it.
        file: a regular file, unbuffered.
        path: where it is; None for what was piped in or fetched, which is in a file without a name.
    """

    name: str
    file: FileIO
    path: Path | None

    @property
    def bytes(self) -> int:
        """Its length."""
        return os.fstat(self.file.fileno()).st_size


@contextmanager
def open_source(path: Path, limits: Limits, name: str | None = None) -> Iterator[Source]:
    """Open a regular file, or standard input (`-`), which is copied to a temporary file first.

    `name` is what to call a file that was fetched from elsewhere: its own path would tell nobody anything.

    Raises:
        AudioNotFound: nothing is there.
        AudioUnreadable: it is no regular file, or it may not be read; or standard input is a terminal.
        AudioTooLarge: it has more bytes than the limit.
        StorageFull: standard input does not fit where temporary files are kept.
    """
    if path == STANDARD_INPUT:
        with _spooled("standard input", limits) as file:
            yield Source("standard input", file, None)
        return
    with _open(path) as file:
        source = Source(name, file, None) if name else Source(str(path), file, path)
        limits.require_small(source.name, source.bytes)
        yield source


def _open(path: Path) -> FileIO:
    try:
        # Looked at before it is opened: to open a named pipe is to wait for its writer.
        if stat.S_ISDIR(mode := path.stat().st_mode):
            raise AudioUnreadable(f"{path} is a directory. Name a recording inside it.")
        if not stat.S_ISREG(mode):
            raise AudioUnreadable(f"{path} is a pipe or a device. Save the sound to a file, or pipe it in and name -.")
        return FileIO(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise AudioNotFound(f"{path} does not exist. Check the path.") from error
    except PermissionError as error:
        raise AudioUnreadable(f"{path} may not be read by this user. Change its permissions (chmod +r).") from error
    except OSError as error:
        raise AudioUnreadable(f"{path} cannot be read: {error.strerror}. Check the path and the disk.") from error
    except ValueError as error:
        if isinstance(error, AudioError):
            raise
        raise AudioNotFound(f"{str(path)!r} is not a possible path. Check its characters.") from error


@contextmanager
def _spooled(name: str, limits: Limits) -> Iterator[FileIO]:
    """Standard input in a file without a name, as decoders go back and forth."""
    if os.isatty(_STANDARD_INPUT_NUMBER):
        raise AudioUnreadable("Standard input is a terminal, not sound. Pipe a recording in, or name a file.")
    with tempfile.TemporaryFile(buffering=0) as file:
        spooled = 0
        while part := _read_part():
            spooled += len(part)
            limits.require_small(name, spooled)
            _write(file, part)
        yield FileIO(file.fileno(), closefd=False)


def _read_part() -> bytes:
    try:
        return os.read(_STANDARD_INPUT_NUMBER, _PART_BYTES)
    except OSError as error:
        raise AudioUnreadable(
            f"Standard input cannot be read: {error.strerror}. Pipe a recording in, or name a file."
        ) from error


def _write(file: IO[bytes], part: bytes) -> None:
    rest = memoryview(part)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        raise storage_full(error) from error
