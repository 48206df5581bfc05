from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.client.store.conftest import make_call

from callscope.errors import SettingsInvalid
from callscope.report.json import to_json
from callscope.store.query import Query
from callscope.store.sql import Store


def _plain(value: object) -> object:
    return json.loads(json.dumps(value))


def test_what_is_put_in_comes_back_whole(store: Store) -> None:
    call = make_call(1)
    assert store.put([call]) == 1
    assert store.get(call.recording.sha256) == _plain(to_json(call))
    assert store.get(call.recording.id) == _plain(to_json(call))
    assert store.get("nothing") is None


def test_a_call_put_in_again_is_replaced_and_never_doubled(store: Store) -> None:
    store.put([make_call(1), make_call(2), make_call(1)])
    again = replace(make_call(1), segments=make_call(1).segments[:2])
    store.put([again])
    assert [len(result["segments"]) for result in store.export(Query())] == [5, 2] or store.status().segments == 7
    assert store.status().calls == 2
    assert store.get(again.recording.sha256) == _plain(to_json(again))


def test_the_known_are_told_from_the_unknown(store: Store) -> None:
    store.put(make_call(number) for number in range(5))
    sums = [make_call(number).recording.sha256 for number in range(500)]
    assert store.known(sums) == set(sums[:5])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("환불", ["seg-0001"]),
        ("解約", ["seg-0003"]),
        ("배송이 너무", ["seg-0001"]),
        ("contract", ["seg-0004"]),
        ("CONTRACT", ["seg-0004"]),
        ("電", ["seg-0002"]),
        ("１００％", ["seg-0004"]),
        ("100%", ["seg-0004"]),
        ("100_", []),
        ("약해", []),
        ("'; DROP TABLE calls; --", []),
        ("환 불", []),
        ("[", []),
    ],
)
def test_texts_are_found_in_each_language_by_two_characters_or_more(store: Store, text: str, found: list[str]) -> None:
    store.put([make_call(1)])
    assert [hit.segment for hit in store.search(Query(text=text))] == found
    assert len(store.find(Query(text=text))) == bool(found)


def test_what_is_replaced_or_purged_is_not_found_any_more(store: Store) -> None:
    store.put([make_call(1), make_call(2, "2027-01-01T00:00:00+00:00")])
    store.put([replace(make_call(1), segments=make_call(1).segments[2:])])
    assert [hit.sha256 for hit in store.search(Query(text="환불"))] == [make_call(2).recording.sha256]
    assert store.purge(datetime(2026, 6, 1, tzinfo=UTC)) == 1
    assert store.status().calls == 1
    assert not [hit for hit in store.search(Query(text="解約")) if hit.sha256 == make_call(1).recording.sha256]


def test_purging_goes_by_the_calls_own_date(store: Store) -> None:
    store.put([make_call(1, metadata={"date": "2020-05-05"}), make_call(2)])
    assert store.purge(datetime(2021, 1, 1, tzinfo=UTC)) == 1
    assert store.known([make_call(1).recording.sha256]) == set()


def test_more_than_a_batch_is_kept_exported_and_purged(store: Store) -> None:
    store.put(make_call(number) for number in range(450))
    assert [result["call"]["source"] for result in store.export(Query())] == [f"calls/{n}.wav" for n in range(450)]
    assert store.purge(datetime(2030, 1, 1, tzinfo=UTC)) == 450
    assert store.status().segments == 0


def test_queries_choose_by_figures_dates_language_and_who_says_what(store: Store) -> None:
    store.put([make_call(1), make_call(2, language="ja", metadata={"date": "2026-03-01T10:00:00+09:00", "team": "B"})])
    assert [one.source for one in store.find(Query(language="ja"))] == ["calls/2.wav"]
    assert [one.source for one in store.find(Query(since=datetime(2026, 2, 1, tzinfo=UTC)))] == ["calls/2.wav"]
    assert [one.source for one in store.find(Query(until=datetime(2026, 2, 1, tzinfo=UTC)))] == ["calls/1.wav"]
    assert len(store.find(Query(above=(("honorific_ratio", 0.5),)))) == 2
    assert not store.find(Query(above=(("honorific_ratio", 0.6),)))
    assert not store.find(Query(below=(("apology_ratio", 1.0),)))  # null is no figure
    assert len(store.find(Query(text="환불", role="customer"))) == 2
    assert not store.find(Query(text="환불", role="agent"))
    assert [one.source for one in store.find(Query(order="dated_at"))] == ["calls/1.wav", "calls/2.wav"]
    assert store.find(Query(language="ja"))[0].attributes["team"] == "B"


def test_what_cannot_be_computed_stays_null(store: Store) -> None:
    store.put([make_call(1)])
    figures = store.find(Query())[0].figures
    assert figures["apology_ratio"] is None
    assert figures["honorific_ratio"] == 0.5


def test_an_unknown_figure_is_named(store: Store) -> None:
    with pytest.raises(SettingsInvalid, match="no figure 'nonsense'"):
        store.find(Query(order="nonsense"))
