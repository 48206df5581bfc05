from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscope.text.normalize import composed, normalize


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("  hello \n  there\t", "hello there"),
        (unicodedata.normalize("NFD", "감사합니다"), "감사합니다"),
        ("か\u3099", "が"),
        ("はい　どうぞ", "はい どうぞ"),
        ("ＡＢ１２　カード", "ＡＢ１２ カード"),
        ("", ""),
    ],
)
def test_texts_that_look_the_same_become_the_same(raw: str, text: str) -> None:
    assert normalize(raw) == text


@given(st.text())
def test_normalising_twice_changes_nothing_more(raw: str) -> None:
    assert normalize(normalize(raw)) == normalize(raw)


@pytest.mark.parametrize("text", ["감사합니다 네", "ガギグ がぎぐ", "café. A"])
def test_each_composed_character_knows_where_it_came_from(text: str) -> None:
    raw = unicodedata.normalize("NFD", text)
    whole, offsets = composed(raw)
    assert whole == text
    assert [unicodedata.normalize("NFC", raw[offsets[at] : offsets[at + 1]]) for at in range(len(whole))] == list(text)


@given(st.text())
def test_the_way_back_leads_through_the_whole_text(raw: str) -> None:
    whole, offsets = composed(raw)
    assert len(offsets) == len(whole) + 1
    assert list(offsets) == sorted(offsets)
    assert offsets[-1] == len(raw)
