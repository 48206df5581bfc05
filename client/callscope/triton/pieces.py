"""Texts longer than a model takes, cut into pieces that overlap, so that every word is seen with its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from callscope.triton.text_model import TextModel

Value = TypeVar("Value")

OVERLAP_SHARE = 0.25
"""How much of a piece the next one repeats; the words in the middle of the overlap have context on both sides."""
SPARE_TOKENS = 4
"""A piece cut out of its text may take a few tokens more than it took inside."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text, in characters.

    Attributes:
        start: where it begins.
        end: where it ends.
        owned_from: from here on (exclusive) this piece is heard, and not the one before.
        owned_to: up to here (inclusive) this piece is heard, and not the one after.
    """

    start: int
    end: int
    owned_from: int
    owned_to: int

    def owned(self, values: Mapping[int, Value]) -> dict[int, Value]:
        """Those of the values, by position in the text, for which this piece is heard."""
        return {place: value for place, value in values.items() if self.owned_from < place <= self.owned_to}


def cut(text: str, model: TextModel, *, anywhere: bool) -> tuple[Piece, ...]:
    """Pieces that the model takes whole.

    Args:
        text: any text.
        model: whose tokens are counted.
        anywhere: whether a piece may end between any two tokens; else only between words, if they are short enough.
    """
    offsets = model.tokenizer.encode(text, add_special_tokens=False).offsets
    if len(offsets) <= model.max_text_tokens:
        return (Piece(0, len(text), 0, len(text)),)
    starts = [start for start, _ in offsets]
    borders = [index for index, start in enumerate(starts) if anywhere or _begins_word(text, start)]
    windows = _windows(len(starts), borders, max(1, model.max_text_tokens - SPARE_TOKENS))
    stretches = [(starts[first], starts[last] if last < len(starts) else len(text)) for first, last in windows]
    middles = [(start + end) // 2 for (_, end), (start, _) in pairwise(stretches)]
    owned = zip([0, *middles], [*middles, len(text)], strict=True)
    return tuple(Piece(*stretch, *ownership) for stretch, ownership in zip(stretches, owned, strict=True))


def _windows(count: int, borders: list[int], size: int) -> list[tuple[int, int]]:
    """Windows of at most `size` tokens over `count`, each beginning and ending at a border where there is one."""
    first, windows = 0, []
    while first + size < count:
        last = _border_before(first + size, borders, above=first)
        windows.append((first, last))
        first = _border_before(last - int(size * OVERLAP_SHARE), borders, above=first)
    return [*windows, (first, count)]


def _border_before(index: int, borders: list[int], *, above: int) -> int:
    """The last border in (above, index], or just `index` (at least `above` + 1) where a word is longer than that."""
    return max((border for border in borders if above < border <= index), default=max(index, above + 1))


def _begins_word(text: str, start: int) -> bool:
    return text[start].isspace() or text[start - 1 : start].isspace()
