"""PostgreSQL on a disk of its own that can be full."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from tests.postgres_server import PostgresServer, find_programs, let_pass

DISK_MIB = 320
SETTINGS = ("fsync=off", "max_wal_size=64MB", "min_wal_size=32MB")
TRIES = 20
PIECE = b"\0" * (1 << 20)


class Database:
    """A server, and the disk on which it is.

    Args:
        folder: an empty one.
        limited: whether that is a disk of its own.
    """

    def __init__(self, folder: Path, *, limited: bool) -> None:
        programs = find_programs()
        if programs is None:
            raise SystemExit("PostgreSQL is not installed. Install it (Debian: apt-get install postgresql).")
        self.limited, self._folder = limited, folder
        place = folder / "server"
        place.mkdir()
        let_pass(place)
        self._server = PostgresServer(place, programs, settings=SETTINGS)
        self._server.start()
        self.url = self._server.url

    def count(self) -> int | None:
        """How many results it has; None while it is away, or has no tables."""
        try:
            with psycopg.connect(self.url, connect_timeout=2) as connection:
                row = connection.execute("SELECT count(*) FROM calls").fetchone()
                return int(row[0]) if row else None
        except psycopg.Error:
            return None

    def restart(self, chance: random.Random) -> None:
        """End it, every other time without a word, and start it again."""
        self._server.stop(kill=chance.random() < 0.5)
        self.start()

    def start(self) -> None:
        """Start it, as soon as what was left of the one before has gone."""
        for attempt in range(1, TRIES + 1):
            try:
                self._server.start()
                break
            except RuntimeError:
                self._server.stop(kill=True)
                if attempt == TRIES:
                    raise

    def fill(self) -> None:
        """Leave no room on the disk."""
        with (self._folder / "filler").open("wb", buffering=0) as filler:
            while True:
                try:
                    filler.write(PIECE)
                except OSError:
                    break

    def empty(self) -> None:
        """Make room again; a server that did not bear it is started again."""
        (self._folder / "filler").unlink()
        if self.count() is None:
            self._server.stop(kill=True)
            self.start()

    def stop(self) -> None:
        """End it."""
        self._server.stop()


@contextmanager
def disk(folder: Path) -> Iterator[bool]:
    """A disk of some hundred MiB at a folder, for as long as the block runs; whether this account may have one."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=755", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607  wherever the system has it
