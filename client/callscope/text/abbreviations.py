"""Points that belong to an abbreviation and not to the end of a sentence."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from callscope.text.english import is_starter
from callscope.text.tables import any_of, table

INITIALS = re.compile(r"(?:[A-Z]\.)*[A-HJ-Z]")  # "I." ends sentences
SEVERAL_INITIALS = re.compile(r"(?:[A-Z]\.)+[A-Z]")


def is_abbreviation(word: str, following: str) -> bool:
    """Whether an English word before a point is short for something, and the sentence goes on.

    Args:
        word: without the point, as "U.S".
        following: the next word.
    """
    patterns = _patterns()
    if patterns.before_a_capital.fullmatch(word):
        return not following[:1].isupper()
    if patterns.before_a_starter.fullmatch(word):
        return not is_starter(following)
    if patterns.before_a_number.fullmatch(word):
        return following[:1].isdigit()
    return bool(patterns.before_a_name.fullmatch(word) or INITIALS.fullmatch(word))


def is_short_for_a_name(word: str) -> bool:
    """Whether a Latin word before a point is short for something in a text of another script: 'Dr', 'J', 'G.D.P'."""
    return bool(INITIALS.fullmatch(word) or _patterns().before_a_name.fullmatch(word))


class _Patterns(NamedTuple):
    before_a_name: re.Pattern[str]
    before_a_number: re.Pattern[str]
    before_a_capital: re.Pattern[str]
    before_a_starter: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    rows = table("english")
    return _Patterns(*(re.compile(any_of(rows[name]), re.IGNORECASE) for name in _Patterns._fields))
