"""Connections to a database: SQLite as a file, or PostgreSQL, from a pool."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from callscope.errors import ExtraMissing, SettingsInvalid
from callscope.store.grams import fold


@dataclass(frozen=True, slots=True)
class Pool:
    """How many connections to PostgreSQL are kept.

    Attributes:
        size: connections that stay open.
        overflow: more of them at a rush.
        timeout_s: how long a caller waits for one.
        recycle_s: the age at which one is replaced; firewalls cut what is idle for long.
    """

    size: int = 5
    overflow: int = 5
    timeout_s: float = 30.0
    recycle_s: int = 1800

    @property
    def options(self) -> dict[str, Any]:
        """As SQLAlchemy takes them; each connection is tried before it is lent."""
        return {
            "pool_size": self.size,
            "max_overflow": self.overflow,
            "pool_timeout": self.timeout_s,
            "pool_recycle": self.recycle_s,
            "pool_pre_ping": True,
        }


BUSY_TIMEOUT_S = 30
"""How long a connection to SQLite waits for another's write."""
PAGES = {"journal_mode": "WAL", "synchronous": "NORMAL", "foreign_keys": "ON", "temp_store": "MEMORY"}
FORMS = "a file (calls.db), sqlite:///calls.db or postgresql://USER@HOST/DATABASE"
DRIVER = "postgresql+psycopg"


def parse_url(text: str) -> URL:
    """The address of a database; a plain path is SQLite's.

    Raises:
        SettingsInvalid: it is the address of something else.
    """
    if "://" not in text:
        return URL.create("sqlite", database=str(Path(text).expanduser()))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise SettingsInvalid(f"That is no address of a database. Write {FORMS}.") from None
    if url.drivername in {"postgres", "postgresql", DRIVER}:
        return url.set(drivername=DRIVER)
    if url.drivername == "sqlite" and url.database:
        return url
    raise SettingsInvalid(f"Callscope keeps results in SQLite or PostgreSQL, not in {url.drivername}. Write {FORMS}.")


def name_of(url: URL) -> str:
    """The address for messages: without its password, and as it is written."""
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)


def open_engine(url: URL, pool: Pool) -> Engine:
    """An engine whose writes to SQLite take their lock at once, so that two writers wait and do not fail."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    try:
        return create_engine(url, **pool.options)
    except ModuleNotFoundError as missing:
        raise ExtraMissing("PostgreSQL", "postgres") from missing


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        for name, value in PAGES.items():
            connection.execute(f"PRAGMA {name}={value}")
        connection.create_function("callscope_fold", 1, fold, deterministic=True)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get("begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine
