"""A log file that begins anew each day, which several processes may write, and which never fails a call.

NAME is today's; at local midnight it becomes NAME.2026-03-04, and what is older than the days to keep is removed.
"""

from __future__ import annotations

import fcntl
import logging
import os
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

from callscope.telemetry.stderr import show

MODE = 0o640
"""The log names files and calls: for its owner and their group."""


class DailyFile(logging.Handler):
    """Appends each record as one line.

    A line is one write at the end of the file, so that those of several processes do not mix. When the file cannot be
    written the user is told once; what is lost is the log, and the work goes on.

    Args:
        file: today's log.
        days: how many earlier days to keep.

    Raises:
        OSError: the file cannot be opened for writing.
    """

    def __init__(self, file: Path, days: int) -> None:
        super().__init__()
        self._file, self._days = file.absolute(), days
        self._descriptor, self._inode, self._torn, self._warned = -1, -1, False, False
        self._open()

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, in a new file where a day has begun."""
        try:
            line = self.format(record).encode("utf-8", "backslashreplace") + b"\n"
            self._turn()
            self._write(line)
        except OSError as error:
            self._warn(error)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Close the file."""
        self._shut()
        super().close()

    def _write(self, line: bytes) -> None:
        wanted = b"\n" + line if self._torn else line
        written = os.write(self._descriptor, wanted)
        self._torn = written < len(wanted)  # the disk was full in the middle of a line
        if self._torn:
            raise OSError("the disk is full")

    def _turn(self) -> None:
        """See that the open file is today's, and still where its name is."""
        try:
            found = self._file.stat()
        except FileNotFoundError:
            self._open()
            return
        if self._descriptor < 0 or found.st_ino != self._inode:
            self._open()
            return
        if found.st_size and (day := date.fromtimestamp(found.st_mtime)) < date.today():
            with suppress(OSError):  # a folder that lets nobody rename: the day is added to the file as it is
                self._put_aside(day)
            self._open()

    def _put_aside(self, day: date) -> None:
        """Give yesterday's log its date. Of several processes one does it; the others find it done."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        dated = self._file.with_name(f"{self._file.name}.{day.isoformat()}")
        if self._file.stat().st_ino == self._inode and not dated.exists():
            self._file.rename(dated)
            self._remove_old()

    def _remove_old(self) -> None:
        oldest = (date.today() - timedelta(days=self._days)).isoformat()
        for file in self._file.parent.glob(f"{self._file.name}.????-??-??"):
            if file.name.removeprefix(f"{self._file.name}.") < oldest:
                with suppress(OSError):
                    file.unlink()

    def _open(self) -> None:
        self._shut()
        self._descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE)
        self._inode, self._torn = os.fstat(self._descriptor).st_ino, False

    def _shut(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with suppress(OSError):
                os.close(descriptor)

    def _warn(self, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            reason = error.strerror or str(error)
            show(f"The log {self._file} cannot be written ({reason}). The work goes on without it.")
