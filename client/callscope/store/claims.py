"""Who works on which recording, among the processes that share a store: each recording is claimed by one at a time.

A claim is a lock and no row: it is gone with the process that holds it, however that ends.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from threading import Lock
from typing import IO, Protocol

from sqlalchemy import Connection, Engine, func, select, text

from callscope.store.engine import Pool, open_engine, parse_url
from callscope.store.failures import answered, retried

KEY_DIGITS = 15
"""Of the SHA-256, as a number that fits 64 bits with their sign."""
MEMORY = ":memory:"
GONE = ("SET tcp_keepalives_idle = 30", "SET tcp_keepalives_interval = 10", "SET tcp_keepalives_count = 3")
"""PostgreSQL lets go of a machine's claims a minute after that has gone without a word."""


class Claims(Protocol):
    """Claims of this process."""

    def take(self, sha256: str) -> bool:
        """Claim a recording; whether nobody else has it. Who has it already takes it again."""

    def free(self, sha256: str) -> None:
        """Let go of a recording."""

    def close(self) -> None:
        """Let go of all."""


def open_claims(store: str) -> Claims:
    """The claims that go with a store, by the store's address.

    Raises:
        SettingsInvalid: it is the address of something else.
        ExtraMissing: PostgreSQL's driver is not installed.
    """
    url = parse_url(store)
    if url.get_backend_name() != "sqlite":
        return PostgresClaims(open_engine(url, Pool(size=1, overflow=0)))
    if url.database in {None, MEMORY}:
        return NoClaims()
    return FileClaims(Path(f"{url.database}-claims"))


class NoClaims:
    """For a store that nobody shares."""

    def take(self, _sha256: str) -> bool:
        """Always."""
        return True

    def free(self, _sha256: str) -> None:
        """Nothing to let go of."""

    def close(self) -> None:
        """Nothing to close."""


class FileClaims:
    """Locks on single bytes of an empty file beside the database, far beyond its end: byte n is recording n.

    Args:
        file: made if it is not there.
    """

    def __init__(self, file: Path) -> None:
        self._file: IO[bytes] = file.open("ab")

    def take(self, sha256: str) -> bool:
        """`Claims.take`."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _key(sha256))
        except OSError:
            return False
        return True

    def free(self, sha256: str) -> None:
        """`Claims.free`."""
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _key(sha256))

    def close(self) -> None:
        """`Claims.close`."""
        self._file.close()


class PostgresClaims:
    """Advisory locks of one session, which a proxy must not share among clients.

    Args:
        engine: a connection of it is kept.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._connection: Connection | None = None
        self._held: set[int] = set()
        self._lock = Lock()

    def take(self, sha256: str) -> bool:
        """`Claims.take`.

        Raises:
            StoreError: the database does not answer.
        """
        key = _key(sha256)
        with self._lock, answered(self._engine):
            if key not in self._held and retried(self._engine, lambda: self._ask("pg_try_advisory_lock", key)):
                self._held.add(key)
            return key in self._held

    def free(self, sha256: str) -> None:
        """`Claims.free`.

        Raises:
            StoreError: the database does not answer.
        """
        key = _key(sha256)
        with self._lock, answered(self._engine):
            if key in self._held:
                self._held.discard(key)
                retried(self._engine, lambda: self._ask("pg_advisory_unlock", key))

    def close(self) -> None:
        """`Claims.close`."""
        if self._connection is not None:
            self._connection.invalidate()  # a session that ends lets go of its locks
            self._connection.close()
        self._engine.dispose()

    def _ask(self, function: str, key: int) -> bool:
        """Ask on the one connection; after it is lost, on a new one that claims again what this process held."""
        connection = self._connection
        if connection is None or connection.invalidated or connection.closed:
            connection = self._connection = self._engine.connect()
            for setting in GONE:
                connection.execute(text(setting))
            for held in self._held:
                connection.execute(select(func.pg_try_advisory_lock(held)))
        return bool(connection.execute(select(getattr(func, function)(key))).scalar())


def _key(sha256: str) -> int:
    return int(sha256[:KEY_DIGITS], 16)
