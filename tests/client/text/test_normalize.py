from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscope.text.normalize import normalize


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("  hello \n  there\t", "hello there"),
        (unicodedata.normalize("NFD", "감사합니다"), "감사합니다"),
        ("か\u3099", "が"),
        ("はい　どうぞ", "はい どうぞ"),
        ("", ""),
    ],
)
def test_texts_that_look_the_same_become_the_same(raw: str, text: str) -> None:
    assert normalize(raw) == text


@given(st.text())
def test_normalising_twice_changes_nothing_more(raw: str) -> None:
    assert normalize(normalize(raw)) == normalize(raw)
