"""A text as patterns read it, which can tell where in the text each of its characters is from."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from callscope.analysis.words import UNSPACED_LANGUAGES

APOSTROPHES = str.maketrans("’‘", "''")


@dataclass(frozen=True, slots=True)
class Folded:
    """Lower case, single spaces, or none in a language written without; `places` are indices in `source`, NFC."""

    text: str
    source: str
    places: tuple[int, ...]

    def words(self, start: int, end: int) -> str:
        """What stands in the source from `start` to `end` of `text`."""
        return self.source[self.places[start] : self.places[end - 1] + 1] if start < end else ""


def fold(text: str, language: str | None) -> Folded:
    """NFC, folded case, straight apostrophes, no space at the ends; no spaces at all where the language has none."""
    source = unicodedata.normalize("NFC", text)
    spaced = language not in UNSPACED_LANGUAGES
    folded: list[tuple[str, int]] = []
    for place, char in enumerate(source):
        if not char.isspace():
            folded += [(each, place) for each in char.casefold().translate(APOSTROPHES)]
        elif spaced and folded and folded[-1][0] != " ":
            folded.append((" ", place))
    if folded and folded[-1][0] == " ":
        folded.pop()
    return Folded("".join(char for char, _ in folded), source, tuple(place for _, place in folded))
