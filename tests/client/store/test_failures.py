"""Databases that are away, busy, full, too old or too new."""

from __future__ import annotations

import multiprocessing
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event, text
from tests.client.store.conftest import make_call

from callscope.errors import SettingsInvalid, StoreFull, StoreMismatch, StoreUnreachable
from callscope.store import failures
from callscope.store.engine import Pool, open_engine, parse_url
from callscope.store.query import Query
from callscope.store.sql import SqlStore, open_store, unprepared_store

from ...postgres_server import PostgresServer


def test_a_killed_server_loses_and_doubles_nothing(postgres: PostgresServer) -> None:
    store = open_store(postgres.url)
    done: list[int] = []
    writer = threading.Thread(target=lambda: done.append(store.put(make_call(number) for number in range(3000))))
    writer.start()
    for _ in range(3):
        writer.join(0.4)
        postgres.stop(kill=True)
        postgres.start()
    writer.join()
    assert done == [3000]
    assert store.status().calls == 3000
    assert store.status().segments == 3000 * 5
    store.purge(datetime(2100, 1, 1, tzinfo=UTC))
    store.close()


def test_connections_that_are_cut_are_opened_again(postgres: PostgresServer) -> None:
    store = open_store(postgres.url)
    store.put([make_call(1)])
    cutter = open_engine(parse_url(postgres.url), Pool())
    with cutter.connect() as connection:
        cut = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = 'tests'"
        )
        connection.execute(text(cut))
    assert store.put([make_call(2)]) == 1
    assert store.status().calls == 2
    store.purge(datetime(2100, 1, 1, tzinfo=UTC))
    store.close()
    cutter.dispose()


def test_a_pool_without_a_free_connection_says_so(postgres: PostgresServer) -> None:
    engine = open_engine(parse_url(postgres.url), Pool(size=1, overflow=0, timeout_s=0.2))
    busy = pytest.raises(StoreUnreachable, match="all connections of the pool are in use")
    with engine.connect(), busy, failures.answered(engine), engine.connect():
        raise AssertionError
    engine.dispose()


@pytest.mark.parametrize("address", ["postgresql://nobody:secret@127.0.0.1:1/calls", "/proc/no/such/calls.db"])
def test_a_database_that_is_not_there_is_named_without_its_password(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "ATTEMPTS", 1)
    with pytest.raises(StoreUnreachable) as caught:
        open_store(address)
    assert "secret" not in str(caught.value)
    assert address.rsplit("/", 1)[-1] in str(caught.value)


@pytest.mark.parametrize("address", ["mysql://a/b", "://", "sqlite://", "postgresql+asyncpg://h/d"])
def test_an_address_of_something_else_is_refused(address: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"SQLite|address"):
        open_store(address)


def test_a_full_disk_keeps_what_was_written_before(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "calls.db"))
    store.put(make_call(number) for number in range(200))
    engine = open_engine(parse_url(str(tmp_path / "calls.db")), Pool())
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count=1"))
    limited = SqlStore(engine)
    with pytest.raises(StoreFull, match="has no room"):
        limited.put(make_call(number) for number in range(200, 2000))
    limited.close()
    assert store.status().calls == 200
    assert store.put([make_call(5000)]) == 1
    store.close()


def test_two_processes_write_the_same_calls_at_once(url: str) -> None:
    open_store(url).close()
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(2) as processes:
        processes.starmap(put_many, [(url, 0), (url, 200)])
    store = open_store(url)
    assert store.status().calls == 600
    assert len(store.search(Query(text="환불", limit=10_000))) == 600
    store.close()


def put_many(url: str, first: int) -> None:
    """Run in a process of its own."""
    store = open_store(url)
    store.put(make_call(number) for number in range(first, first + 400))
    store.close()


def test_a_newer_database_is_refused_and_left_alone(url: str) -> None:
    open_store(url).close()
    engine = open_engine(parse_url(url), Pool())
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreMismatch, match="newer Callscope"):
        open_store(url)
    unprepared = unprepared_store(url)
    with pytest.raises(StoreMismatch, match="newer Callscope"):
        unprepared.upgrade()
    unprepared.close()
    engine.dispose()


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "calls.db"
    file.write_text("my shopping list, which is longer than a page header\n" * 40)
    with pytest.raises(StoreUnreachable, match="not a database"):
        open_store(str(file))
    assert file.read_text().startswith("my shopping list")
