"""English sentences where no mark shows their end: by capitals, set phrases and pauses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from callscope.text.endings import Certainty, Ending
from callscope.text.tables import any_of, table

WORD = re.compile(r"\S+")
NAMES = r"(?:[A-Z][\w.'’-]* ){1,3}"
"""Up to three words with capitals: who says something."""
OPENING_QUOTES = "\"'“‘(["
GOING_ON = ",;:-–—([“‘/&"
"""Marks behind a word that no sentence ends with."""
TITLE_CASE = 0.6
"""Share of words with a capital from which capitals say nothing."""


def english_endings(text: str) -> Iterator[Ending]:
    """Places between words, each with how sure it is that a sentence ends there; most are weak.

    Args:
        text: words that touch a mark end nothing here.
    """
    words = list(WORD.finditer(text))
    cased = sum(word[0][0].isupper() for word in words) < TITLE_CASE * len(words)
    for word, following in pairwise(words):
        phrase = bool(_patterns().phrases.match(text, following.start()))
        certainty = _certainty(word[0], following[0].lstrip(OPENING_QUOTES), cased=cased, phrase=phrase)
        if certainty:
            yield Ending(word.end(), following.start(), certainty)


def _certainty(word: str, following: str, *, cased: bool, phrase: bool) -> Certainty | None:
    patterns = _patterns()
    if word[-1] in GOING_ON or patterns.unfinished.fullmatch(word):
        return None
    about_oneself = patterns.first_person.fullmatch(following)
    if cased and is_starter(following) and (patterns.objects.fullmatch(word) or not about_oneself):
        return Certainty.PLAIN
    if phrase and not patterns.opening.fullmatch(word):
        return Certainty.PLAIN
    return None if patterns.goes_on.fullmatch(following) else Certainty.WEAK


def is_starter(word: str) -> bool:
    """Whether the word has a capital that only the start of a sentence gives it."""
    patterns = _patterns()
    return word[:1].isupper() and bool(patterns.starters.fullmatch(word) or patterns.first_person.fullmatch(word))


def reports_speech(text: str, start: int) -> bool:
    """Whether the words at `start` tell who said the quotation before them: 'Ann Lee said'."""
    return bool(_patterns().reports.match(text, start))


class _Patterns(NamedTuple):
    starters: re.Pattern[str]
    first_person: re.Pattern[str]
    unfinished: re.Pattern[str]
    opening: re.Pattern[str]
    objects: re.Pattern[str]
    goes_on: re.Pattern[str]
    phrases: re.Pattern[str]
    reports: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    rows = table("english")
    lists = {name: any_of(rows[name]) for name in _Patterns._fields}
    reports = re.compile(NAMES + lists.pop("reports") + r"\b")
    return _Patterns(reports=reports, **{name: re.compile(pattern, re.IGNORECASE) for name, pattern in lists.items()})
