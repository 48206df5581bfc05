from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from callscope.text.hangul import with_finals
from callscope.text.tables import any_of, table


def patterns_in(rows: Any) -> Iterator[str]:
    """Every string in lists, however deep."""
    if isinstance(rows, str):
        yield rows
    elif isinstance(rows, dict):
        for row in rows.values():
            yield from patterns_in(row)
    elif isinstance(rows, list):
        for row in rows:
            yield from patterns_in(row)


@pytest.mark.parametrize("language", ["english", "japanese", "korean"])
def test_every_entry_is_an_expression_without_groups_of_its_own(language: str) -> None:
    for pattern in patterns_in(table(language)):
        assert re.compile(any_of([pattern])).groups == 0, pattern


def test_a_letter_in_braces_is_every_syllable_with_that_final() -> None:
    formal = re.compile(with_finals("{ㅂ}니다$"))
    assert [word for word in ("합니다", "먹습니다", "아니다", "언니다") if formal.search(word)] == [
        "합니다",
        "먹습니다",
    ]
    assert re.fullmatch(with_finals("{ㄹ}까"), "할까")
    assert not re.fullmatch(with_finals("{ㄹ}까"), "하까")


def test_an_unknown_final_is_refused() -> None:
    with pytest.raises(KeyError):
        with_finals("{ㄱ}다")
