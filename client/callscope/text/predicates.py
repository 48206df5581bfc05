"""Which of the plain Japanese predicates of a text end a sentence, and which describe the noun behind them."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from callscope.text.endings import Certainty, Ending
from callscope.text.tables import Weighted, any_of, table, weighted

PLAUSIBLE = re.compile(r"[るただいうくすつむぶぐかよねわんけ](\s*)(?=[一-龯々ァ-ヶA-Za-z0-9０-９Ａ-Ｚ「『ぁ-ん])")
HIRAGANA = re.compile("[ぁ-ん]")
REACH = 12
"""Characters of a predicate that are looked at, and how many places back a sentence may have begun."""


NEVER = -math.inf
"""Weight of an end that only a pause can show."""


class _Place(NamedTuple):
    last: int
    end: int
    weight: float


def plain_endings(text: str) -> Iterator[Ending]:
    """Choose the ends that together are the likeliest; those not chosen are weak.

    Args:
        text: without polite predicates, but for the last.
    """
    places = list(_places(text))
    possible = [place for place in places if place.weight > NEVER]
    chosen = set(_likeliest(text, possible)) if possible else set()
    for place in places:
        yield Ending(place.last, place.end, Certainty.PLAIN if place in chosen else Certainty.WEAK)


def is_predicate(text: str, last: int, end: int) -> bool:
    """Whether a plain predicate ends at `last`, and does not describe the noun at `end`."""
    return _weight(text, last, end) is not None


def _places(text: str) -> Iterator[_Place]:
    for found in PLAUSIBLE.finditer(text):
        last, end = found.start(1), found.end()
        weight = _weight(text, last, end)
        if weight is not None:
            yield _Place(last, end, weight)


def _weight(text: str, last: int, end: int) -> float | None:
    """By predicate and what follows; None if it is no predicate or describes the noun behind it."""
    rules = _rules()
    if rules.describes.match(text, end):
        return None
    tail = text[max(0, last - REACH) : last]
    predicate = next((rule.weight for rule in rules.predicate if rule.pattern.search(tail)), None)
    following = next((rule.weight for rule in rules.following if rule.pattern.match(text, end)), None)
    if predicate is None:
        return None
    if following is None and HIRAGANA.match(text, end):
        return NEVER  # more likely within a word
    return predicate + (following or 0) + (rules.space if end > last else 0)


def _likeliest(text: str, places: Sequence[_Place]) -> Iterator[_Place]:
    """The places whose weights, with those of the sentences between them, add up to the most."""
    weigh = _Sentences(text)
    points = (_Place(0, 0, 0), *places, _Place(len(text), len(text), 0))
    best, before = [0.0], [0]
    for index in range(1, len(points)):
        options = range(max(0, index - REACH), index)
        sums = [best[start] + weigh(points[start].end, points[index].last) for start in options]
        most = max(sums)
        best.append(most + points[index].weight)
        before.append(options[sums.index(most)])
    index = before[-1]
    while index:
        yield points[index]
        index = before[index]


class _Sentences:
    """Weighs a stretch of a text as one sentence."""

    def __init__(self, text: str) -> None:
        rules = _rules()
        self.found = [
            ([found.start() for found in rule.pattern.finditer(text)], rule.weight) for rule in rules.sentence
        ]
        self.length = rules.length

    def __call__(self, start: int, end: int) -> float:
        holds = sum(weight for at, weight in self.found if bisect_left(at, start) < bisect_left(at, end))
        short = self.length["too_short"] if end - start < self.length["short"] else 0
        return holds + short + self.length["too_long"] * max(0, end - start - self.length["long"])


class _Rules(NamedTuple):
    describes: re.Pattern[str]
    predicate: tuple[Weighted, ...]
    following: tuple[Weighted, ...]
    sentence: tuple[Weighted, ...]
    space: float
    length: dict[str, float]


@cache
def _rules() -> _Rules:
    rows = table("japanese")
    return _Rules(
        re.compile(any_of(rows["plain"]["describes"])),
        weighted(rows["predicate"], r"\Z"),
        weighted(rows["following"]),
        weighted(rows["sentence"]),
        rows["space"]["weight"],
        rows["length"],
    )
