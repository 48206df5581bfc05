"""The file in which results are kept: SQLite, for several processes at once, killed at any moment.

What is thrown away is overwritten with zeros, since it is what people said.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from callscope.errors import CacheUnusable

NAME = "results.v1.sqlite"
"""The form of the table is in the name, so that no version reads another's."""
BUSY_S = 5.0
"""How long another process's write is waited for; after that the result is worked out, or not kept."""
ROOM = 0.95
"""What is left of the limit when it was reached, so that not every result after that makes room again."""
PAGE_BYTES, ROW_BYTES = 4096, 512
SECONDS_A_DAY = 86400.0
PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON", "journal_size_limit=4194304")
TABLE = """
CREATE TABLE IF NOT EXISTS results (
    key TEXT PRIMARY KEY, recording TEXT NOT NULL, made_at REAL NOT NULL, used_at REAL NOT NULL,
    hits INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL, packed BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS results_recording ON results (recording);
CREATE INDEX IF NOT EXISTS results_made_at ON results (made_at, hits);
CREATE INDEX IF NOT EXISTS results_used_at ON results (used_at, bytes);
"""
MAKE_ROOM = """
DELETE FROM results WHERE rowid IN (
    SELECT rowid FROM (SELECT rowid, SUM(bytes) OVER (ORDER BY used_at DESC, rowid DESC) AS up_to FROM results)
    WHERE up_to > ?
)
"""


@dataclass(frozen=True, slots=True)
class Status:
    """What is kept.

    Attributes:
        file: where.
        entries: how many results.
        bytes: what they take.
        hits: how often those were used again.
        oldest_s: when the oldest was made, in seconds since 1970; None without any.
    """

    file: Path
    entries: int
    bytes: int
    hits: int
    oldest_s: float | None


class Results:
    """Results by their names. Opened by the first use; every method raises `CacheUnusable` where the file fails.

    Args:
        folder: of the file; both are made, for their owner alone.
        max_bytes: what the results may take; those that were not used for the longest time go first.
        max_age_s: older ones are not used.
    """

    def __init__(self, folder: Path, *, max_bytes: int, max_age_s: float) -> None:
        self.file = folder / NAME
        self._max_bytes, self._max_age_s = max_bytes, max_age_s
        self._opened: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        """What is kept under a name, and not too old."""
        with self._connected() as connection:
            made_since = time.time() - self._max_age_s
            wanted = "SELECT packed FROM results WHERE key = ? AND made_at >= ?"
            row = connection.execute(wanted, (key, made_since)).fetchone()
            if row is None:
                return None
            with suppress(sqlite3.OperationalError):  # a full disk or a long lock: used, though nobody notes it
                connection.execute("UPDATE results SET hits = hits + 1, used_at = ? WHERE key = ?", (time.time(), key))
            return bytes(row[0])

    def put(self, key: str, recording_sha256: str, packed: bytes) -> bool:
        """Keep a result in place of what has its name; whether there was room."""
        size = -(-len(packed) // PAGE_BYTES) * PAGE_BYTES + ROW_BYTES
        if size > self._max_bytes:
            return False
        with self._connected() as connection, _transaction(connection):
            now = time.time()
            connection.execute("DELETE FROM results WHERE made_at < ?", (now - self._max_age_s,))
            connection.execute(
                "INSERT OR REPLACE INTO results (key, recording, made_at, used_at, bytes, packed) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (key, recording_sha256, now, now, size, packed),
            )
            if connection.execute("SELECT SUM(bytes) FROM results").fetchone()[0] > self._max_bytes:
                connection.execute(MAKE_ROOM, (max(size, int(self._max_bytes * ROOM)),))
        return True

    def forget(self, key: str) -> None:
        """Throw one away."""
        with self._connected() as connection:
            connection.execute("DELETE FROM results WHERE key = ?", (key,))

    def forget_recordings(self, sha256s: Iterable[str]) -> int:
        """Throw away every result of those recordings; how many."""
        with self._connected() as connection, _transaction(connection):
            forget = "DELETE FROM results WHERE recording = ?"
            gone = sum(connection.execute(forget, (sha256,)).rowcount for sha256 in sha256s)
        self._shrink()
        return gone

    def clear(self, made_before_s: float) -> int:
        """Throw away what was made before that second since 1970; how many."""
        with self._connected() as connection:
            gone = connection.execute("DELETE FROM results WHERE made_at < ?", (made_before_s,)).rowcount
        self._shrink()
        return gone

    def status(self) -> Status:
        """What is kept; a file that is not there is not made."""
        if not self.file.exists():
            return Status(self.file, 0, 0, 0, None)
        with self._connected() as connection:
            figures = "SELECT COUNT(*), TOTAL(bytes), TOTAL(hits), MIN(made_at) FROM results"
            entries, size, hits, oldest_s = connection.execute(figures).fetchone()
            return Status(self.file, entries, int(size), int(hits), oldest_s)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def remove(self) -> None:
        """Take the file away, whatever is wrong with it."""
        self.close()
        with _saying(self.file):
            for file in self.file.parent.glob(f"{NAME}*"):
                file.unlink(missing_ok=True)

    def _shrink(self) -> None:
        """Give the room back, and empty the journal that still holds what was thrown away."""
        with self._connected() as connection, suppress(sqlite3.OperationalError):  # somebody else reads or writes
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread at a time."""
        with self._lock, _saying(self.file):
            if self._opened is None:
                self._opened = _open(self.file)
            yield self._opened


def _open(file: Path) -> sqlite3.Connection:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    if file.stat().st_mode & 0o077:
        file.chmod(0o600)
    connection = sqlite3.connect(file, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        _patiently(lambda: _prepare(connection))
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    connection.executescript(TABLE)


def _patiently(work: Callable[[], None]) -> None:
    """Again while another process opens the file: to change the journal's mode, SQLite does not wait for a lock."""
    deadline_s = time.monotonic() + BUSY_S
    while True:
        try:
            return work()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline_s:
                raise
            time.sleep(0.02)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def _saying(file: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CacheUnusable(str(file), reason) from error
