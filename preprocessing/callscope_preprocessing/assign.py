"""Words given to the speakers who said them."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate, groupby

from callscope_preprocessing.audio import Span
from callscope_preprocessing.speakers import SpeakerTurn

LONG_RUN = 4
"""So many words in a row by another speaker within a sentence are that speaker's."""


def assign_words(
    words: Sequence[Span],
    exclusive: Sequence[SpeakerTurn],
    turns: Sequence[SpeakerTurn] = (),
    *,
    sentences: Sequence[int] | None = None,
    long_run: int = LONG_RUN,
) -> tuple[str | None, ...]:
    """Who said each word.

    A word belongs to whom it overlaps most among the exclusive turns, else among all of them, else to the nearest turn.
    Then each sentence keeps one speaker: who says most of its words, in seconds, has them all but for runs of
    `long_run` words or more by another.

    Args:
        words: when each was said, in order.
        exclusive: turns, one speaker at a time.
        turns: turns that may overlap.
        sentences: for each word, the number of its sentence; words of one sentence stand together. Without it, words
            keep their own speakers.
        long_run: how many words in a row are no slip.

    Returns:
        A speaker for every word, in the order of the words; None for all of them where there is no turn.

    Raises:
        ValueError: there are not as many `sentences` as words.
    """
    if sentences is not None and len(sentences) != len(words):
        raise ValueError(f"There are {len(words)} words and {len(sentences)} sentence numbers. Give one for each word.")
    first, second = _Index(exclusive), _Index(turns)
    if not exclusive and not turns:
        return (None,) * len(words)
    own = [first.most(word) or second.most(word) or (first if exclusive else second).nearest(word) for word in words]
    return tuple(own) if sentences is None else tuple(_by_sentence(words, own, sentences, long_run))


class _Index:
    """Turns by time, so that a long call takes no longer a word than a short one."""

    def __init__(self, turns: Sequence[SpeakerTurn]) -> None:
        self._turns = sorted(turns)
        self._starts = [turn.span.start_s for turn in self._turns]
        self._ends = list(accumulate((turn.span.end_s for turn in self._turns), max))

    def _around(self, word: Span) -> list[SpeakerTurn]:
        """Every turn that can overlap `word`: started before its end, and not all over before its start."""
        return self._turns[bisect_left(self._ends, word.start_s) : bisect_left(self._starts, word.end_s)]

    def most(self, word: Span) -> str | None:
        """Who overlaps the word longest, the first of them where two do equally; None where nobody does."""
        overlaps: defaultdict[str, float] = defaultdict(float)
        for turn in self._around(word):
            common_s = min(turn.span.end_s, word.end_s) - max(turn.span.start_s, word.start_s)
            if common_s > 0:
                overlaps[turn.speaker] += common_s
        return max(overlaps, key=overlaps.__getitem__, default=None)

    def nearest(self, word: Span) -> str:
        """Who speaks nearest in time; the earlier where two are as near."""
        middle_s = (word.start_s + word.end_s) / 2
        place = bisect_left(self._starts, middle_s)
        latest = bisect_left(self._ends, self._ends[place - 1]) if place else 0
        near = self._turns[latest : latest + 1] + self._turns[place : place + 1]
        return min(near, key=lambda turn: max(turn.span.start_s - middle_s, middle_s - turn.span.end_s, 0.0)).speaker


def _by_sentence(words: Sequence[Span], own: Sequence[str], sentences: Sequence[int], long_run: int) -> list[str]:
    """Sentences with one speaker each, but for long runs of another."""
    said: list[str] = []
    for _, places in groupby(range(len(words)), key=lambda place: sentences[place]):
        mine = list(places)
        shares: defaultdict[str, float] = defaultdict(float)
        for place in mine:
            shares[own[place]] += max(words[place].duration_s, 1e-3)
        main = max(shares, key=shares.__getitem__)
        for speaker, run in groupby(own[place] for place in mine):
            count = len(list(run))
            said += [speaker if count >= long_run else main] * count
    return said
