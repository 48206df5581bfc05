"""Korean sentences whose ends are heard in the verb, with no mark to show them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from callscope.text.endings import Certainty, Ending
from callscope.text.tables import any_of, table

WORD = re.compile(r"\S+")


def korean_endings(text: str) -> Iterator[Ending]:
    """Words that end a sentence, each with how sure that is; the text's last word is none of them.

    Args:
        text: in composed syllables; words that touch a mark are not ends.
    """
    start = 0
    patterns = _patterns()
    held: Certainty | None = None
    for word, following in pairwise(WORD.finditer(text)):
        certainty = held or _certainty(word[0], following[0], opens=word.start() == start)
        calls = patterns.calling.fullmatch(following[0])
        held = certainty if calls and not held and patterns.courtesies.fullmatch(word[0]) else None
        if certainty and not held and not patterns.only_calls.fullmatch(text, following.start()):
            yield Ending(word.end(), following.start(), certainty)
            start = following.start()


def is_korean_ending(word: str) -> bool:
    """Whether a sentence can end with the word."""
    patterns = _patterns()
    return bool(patterns.ending.search(word)) and not patterns.never.fullmatch(word)


def korean_quotation_goes_on(text: str, start: int) -> bool:
    """Whether the sentence goes on behind a quotation that ends at `start`."""
    patterns = _patterns()
    return bool(patterns.after_quotation.match(text, start) or patterns.reports.match(text, start))


def _certainty(word: str, following: str, *, opens: bool) -> Certainty | None:
    patterns = _patterns()
    found = patterns.ending.search(word)
    if not found or patterns.never.fullmatch(word) or patterns.goes_on.match(following):
        return None
    if found.lastgroup == "weak" and patterns.goes_on_after_weak.match(following):
        return None
    if opens and patterns.opening.fullmatch(word):
        return Certainty.WEAK
    return Certainty[str(found.lastgroup).upper()]


class _Patterns(NamedTuple):
    ending: re.Pattern[str]
    never: re.Pattern[str]
    opening: re.Pattern[str]
    goes_on: re.Pattern[str]
    goes_on_after_weak: re.Pattern[str]
    after_quotation: re.Pattern[str]
    reports: re.Pattern[str]
    courtesies: re.Pattern[str]
    calling: re.Pattern[str]
    only_calls: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    lists = {name: any_of(patterns) for name, patterns in table("korean").items()}
    ending = "|".join(rf"(?P<{name}>{lists.pop(name)}\Z)" for name in ("sure", "plain", "weak"))
    only_calls = lists["calling"] + r"[\s.,!?]*"
    others = {name: re.compile(pattern) for name, pattern in lists.items()}
    return _Patterns(ending=re.compile(ending), only_calls=re.compile(only_calls), **others)
