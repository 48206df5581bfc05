"""Common words are looked for call by call, rare ones by the index; both find the same."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from bench.made_calls import make_calls
from sqlalchemy import event
from tests.client.store.conftest import make_call

from callscope.store import found_text
from callscope.store.engine import Pool, open_engine, parse_url
from callscope.store.query import Query
from callscope.store.sql import SqlStore, open_store
from callscope.when import parse_time

from ...postgres_server import PostgresServer

MANY = 1200


@pytest.fixture(scope="module")
def url_of_many(postgres: PostgresServer) -> str:
    """A PostgreSQL whose statistics know of 60,000 segments."""
    import psycopg  # noqa: PLC0415  an extra

    name = f"t{time.time_ns()}"
    url = postgres.url.replace("/postgres", f"/{name}")
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    store = open_store(url)
    store.put(make_calls(MANY))
    store.close()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return url


@pytest.mark.parametrize("text", ["환불", "契約", "cancel the", "約", "no such thing"])
def test_common_and_rare_words_are_found_in_other_ways_and_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    engine = open_engine(parse_url(str(tmp_path / "calls.db")), Pool())
    store, asked = SqlStore(engine), list[tuple[str, Any]]()
    store.prepare()
    store.put(make_call(number, f"2026-01-{1 + number % 28:02}T00:00:00+00:00") for number in range(300))
    event.listen(
        engine, "before_cursor_execute", lambda _1, _2, statement, values, _3, _4: asked.append((statement, values))
    )
    by_index = store.search(Query(text=text, limit=40))
    monkeypatch.setattr(found_text, "COMMON", 3)
    in_order = store.search(Query(text=text, limit=40))
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[-1][0]}", asked[-1][1]).all()
    store.close()
    assert by_index == in_order
    assert len(in_order) == (0 if text == "no such thing" else 40)
    if in_order:
        assert plan[0].detail == "SCAN calls USING INDEX calls_dated_at"
        assert "segments USING INDEX segments_call" in plan[1].detail


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (Query(), "calls_dated_at"),
        (Query(since=parse_time("2026-01-01T05:00"), until=parse_time("2026-01-01T06:00")), "calls_dated_at"),
        (Query(since=parse_time("2026-01-01T05:00"), until=parse_time("2026-01-01T06:00"), language="ko"), "dated_at"),
        (Query(text="해지방어"), "segments_grams"),
        (Query(text="no such thing"), "segments_grams"),
    ],
)
def test_postgresql_answers_by_an_index(postgres: PostgresServer, url_of_many: str, query: Query, index: str) -> None:
    asked = list[tuple[str, Any]]()
    engine = open_engine(parse_url(url_of_many), Pool())
    event.listen(engine, "before_cursor_execute", lambda _1, _2, said, values, _3, _4: asked.append((said, values)))
    store = SqlStore(engine)
    found = store.search(query) if query.text else store.find(query)
    with engine.connect() as connection:
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {asked[-1][0]}", asked[-1][1]).scalars())
    store.close()
    assert index in plan
    assert "Seq Scan" not in plan
    assert bool(found) is (query.text != "no such thing")


@pytest.mark.parametrize(("text", "common"), [("order", True), ("ombudsman", False), ("料", True), ("zebra", False)])
def test_postgresql_looks_for_common_words_in_the_newest_calls_first(
    url_of_many: str, monkeypatch: pytest.MonkeyPatch, text: str, common: bool
) -> None:
    monkeypatch.setattr(found_text, "COMMON", 1000)
    engine = open_engine(parse_url(url_of_many), Pool())
    asked, store = list[str](), SqlStore(engine)
    with engine.connect() as connection:
        assert found_text.is_common(connection, text) is common
    event.listen(engine, "before_cursor_execute", lambda _1, _2, said, _4, _5, _6: asked.append(said))
    found = store.search(Query(text=text, limit=20))
    assert ("segment_grams @>" in asked[-1]) is not common
    monkeypatch.setattr(found_text, "COMMON", 10**9)
    by_index = store.search(Query(text=text, limit=20))
    store.close()
    assert found == by_index
    assert (len(found) == 20) if common else (text != "zebra") is bool(found)
