"""A path becomes a file that is open to read."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from callscope_preprocessing.errors import AudioError, AudioNotFound, AudioUnreadable


@contextmanager
def open_file(path: Path) -> Iterator[FileIO]:
    """Open a regular file, unbuffered.

    Raises:
        AudioNotFound: nothing is there.
        AudioUnreadable: it is no regular file, or it may not be read.
    """
    try:
        # Looked at before it is opened: to open a named pipe is to wait for its writer.
        if stat.S_ISDIR(mode := path.stat().st_mode):
            raise AudioUnreadable(f"{path} is a directory. Name a recording inside it.")
        if not stat.S_ISREG(mode):
            raise AudioUnreadable(f"{path} is a pipe or a device. Save the sound to a file and name that.")
        file = FileIO(path)
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
    with file:
        yield file
