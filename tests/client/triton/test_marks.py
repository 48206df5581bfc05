from __future__ import annotations

import pytest

from callscope.triton.marks import mark_after, mark_before


@pytest.mark.parametrize(
    ("label", "language", "mark"),
    [
        (".", "ja", "。"),
        ("。", "en", "."),
        ("PERIOD", "ko", "."),
        ("?", "ja", "？"),
        ("！", "ko", "!"),
        ("PERIOD", "de", "."),
        ("。", "zh", "。"),
        ("؟", "ar", "؟"),
        ("・", "ja", ""),
        ("ACRONYM", "en", "."),
        ("ACRONYM", "ja", ""),
        ("O", "zh", ""),
        (":", "en", ""),
        (":", "de", ""),
    ],
)
def test_a_language_writes_its_own_mark(label: str, language: str, mark: str) -> None:
    assert mark_after(label, language) == mark


def test_a_mark_before_a_word_is_written_where_the_language_has_one() -> None:
    assert [mark_before("¿", language) for language in ("es", "en", "ja", "ko")] == ["¿", "", "", ""]
    assert mark_before("O", "es") == ""
