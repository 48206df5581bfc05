"""Japanese sentences whose ends are heard in the predicate, with no mark to show them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from callscope.text.endings import Certainty, Ending
from callscope.text.predicates import is_predicate, plain_endings
from callscope.text.tables import any_of, table

SPACE = re.compile(r"\s*")
REACH = 6
"""Characters before a polite form that may make another word of it."""


def japanese_endings(text: str) -> Iterator[Ending]:
    """Polite predicates, which end a sentence anywhere; between them plain ones, of which the likeliest do.

    Args:
        text: may be unmarked; the end of the text is not among what is found.
    """
    polite = list(_polite_endings(text))
    yield from polite
    for start, end in pairwise((0, *(ending.end for ending in polite), len(text))):
        for ending in plain_endings(text[start:end]):
            yield Ending(start + ending.last, start + ending.end, ending.certainty)
    for found in _patterns().answers.finditer(text):
        yield _ending(text, found.end(), Certainty.WEAK)


def is_japanese_ending(text: str, last: int, end: int) -> bool:
    """Whether a sentence can end behind the word that ends at `last`, the next one beginning at `end`."""
    tail = text[max(0, last - REACH) : last]
    ends = any(found.end() == len(tail) for found in _patterns().polite.finditer(tail))
    return ends or is_predicate(text, last, end)


def japanese_quotation_goes_on(text: str, start: int) -> bool:
    """Whether the sentence goes on behind a quotation that ends at `start`."""
    return bool(_patterns().goes_on.match(text, start))


def _polite_endings(text: str) -> Iterator[Ending]:
    patterns = _patterns()
    for found in patterns.polite.finditer(text):
        start = max(0, found.start() - REACH)
        if found.end() < len(text) and not patterns.never.search(text[start : found.end()]):
            yield _ending(text, found.end(), Certainty.SURE)


def _ending(text: str, last: int, certainty: Certainty) -> Ending:
    space = SPACE.match(text, last)
    return Ending(last, space.end() if space else last, certainty)


class _Patterns(NamedTuple):
    """What ends a sentence, what only looks like it, and what does before a pause."""

    polite: re.Pattern[str]
    never: re.Pattern[str]
    answers: re.Pattern[str]
    goes_on: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    polite = table("japanese")["polite"]
    ends, particles, goes_on = (any_of(polite[name]) for name in ("ends", "particles", "goes_on"))
    whole = rf"(?>{ends}{particles}*+)(?!\s*{goes_on})"  # atomic: ですかと must not end at です
    others = (polite["never"], table("japanese")["answers"]["ends"], table("japanese")["quotation"]["goes_on"])
    return _Patterns(re.compile(whole), *(re.compile(any_of(patterns)) for patterns in others))
