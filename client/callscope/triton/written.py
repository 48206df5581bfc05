"""A text written with what a model says of it: marks, capitals, and where its sentences end."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from callscope.triton.mark_labels import ACRONYM, mark_of
from callscope.triton.marks import WITHOUT_SPACES, mark_after, mark_before


@dataclass(frozen=True, slots=True)
class Said:
    """What a model says of a text. A place is the number of characters up to and with the one it is about.

    Attributes:
        after: the label of the mark after it.
        before: the label of the mark before it.
        upper: whether it is a capital.
        boundary: whether a sentence ends with it.
    """

    after: Mapping[int, str] = field(default_factory=dict)
    before: Mapping[int, str] = field(default_factory=dict)
    upper: Mapping[int, bool] = field(default_factory=dict)
    boundary: Mapping[int, bool] = field(default_factory=dict)

    def __or__(self, other: Said) -> Said:
        """Both, the other where both say something of one place."""
        return Said(
            {**self.after, **other.after},
            {**self.before, **other.before},
            {**self.upper, **other.upper},
            {**self.boundary, **other.boundary},
        )


@dataclass(frozen=True, slots=True)
class Punctuated:
    """A text with marks.

    Attributes:
        text: the text; but for marks and case its characters are those that were given.
        boundaries: how many characters of `text` come before each sentence but the first, where the model says so;
            none from a model that does not, and none for a text that came with marks.
    """

    text: str
    boundaries: tuple[int, ...] = ()


def write(text: str, said: Said, language: str) -> Punctuated:
    """`text` with the marks and capitals where the language allows them; what is a capital already stays one."""
    parts: list[str] = []
    boundaries, length = [], 0
    for place, character in enumerate(text, 1):
        mark = _before(text, place, said, language)
        parts.append(mark + _cased(character, upper=said.upper.get(place, False)) + _after(text, place, said, language))
        length += len(parts[-1])
        if said.boundary.get(place) and _ends_word(text, place, language) and place < len(text):
            boundaries.append(length)
    return Punctuated("".join(parts), tuple(boundaries))


def may_take_mark(text: str, place: int, *, anywhere: bool) -> bool:
    """Whether a mark may stand before `text[place]`: after a word, and not beside another mark."""
    before, after = text[place - 1 : place], text[place : place + 1]
    ends_word = anywhere or not after or after.isspace()
    return ends_word and not _is_mark_or_space(before) and not (after and unicodedata.category(after) in {"Po", "Mn"})


def _after(text: str, place: int, said: Said, language: str) -> str:
    label = said.after.get(place)
    mark = mark_after(label, language) if label else ""
    if not mark:
        return ""
    if label and mark_of(label) == ACRONYM:
        return mark if text[place - 1].isalpha() and not text[place : place + 1].startswith(mark) else ""
    return mark if may_take_mark(text, place, anywhere=language in WITHOUT_SPACES) else ""


def _before(text: str, place: int, said: Said, language: str) -> str:
    label = said.before.get(place)
    mark = mark_before(label, language) if label else ""
    begins_word = place == 1 or text[place - 2].isspace()
    return mark if mark and begins_word and not _is_mark_or_space(text[place - 1]) else ""


def _cased(character: str, *, upper: bool) -> str:
    capital = character.upper() if upper else character
    return capital if capital.lower() == character.lower() and len(capital) == 1 else character


def _ends_word(text: str, place: int, language: str) -> bool:
    return language in WITHOUT_SPACES or text[place : place + 1].isspace()


def _is_mark_or_space(character: str) -> bool:
    return not character or character.isspace() or unicodedata.category(character).startswith("P")
