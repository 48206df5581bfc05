"""Common words are looked for call by call, rare ones by the index; both find the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from tests.client.store.conftest import make_call

from callscope.store import found_text
from callscope.store.engine import Pool, open_engine, parse_url
from callscope.store.query import Query
from callscope.store.sql import SqlStore


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
