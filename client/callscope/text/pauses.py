"""Where a speaker paused in a text: hints that a sentence may end there."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import accumulate, pairwise

from callscope.call import Word

PAUSE_S = 0.4
"""Of silence between two words; shorter ones part phrases."""


def pauses(text: str, words: Sequence[Word]) -> tuple[int, ...]:
    """Offsets in `text` behind the words after which their speaker paused.

    Args:
        text: what the words say, with marks or without; its letters and digits are theirs. Where they are not, so that
            places cannot be told, there are no pauses.
        words: in order.
    """
    places = [place for place, character in enumerate(text) if _counts(character)]
    ends = list(accumulate(sum(map(_counts, word.word)) for word in words))
    if not ends or ends[-1] != len(places):
        return ()
    silences = ((end, after.start_s - word.end_s) for end, (word, after) in zip(ends, pairwise(words), strict=False))
    return tuple(places[end - 1] + 1 for end, silence_s in silences if end and silence_s >= PAUSE_S)


def _counts(character: str) -> bool:
    return unicodedata.category(character)[0] in "LN"
