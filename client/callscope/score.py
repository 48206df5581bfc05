"""How far a transcript is from its reference."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from callscope.analysis.words import UNSPACED_LANGUAGES

CHARACTER_LANGUAGES = UNSPACED_LANGUAGES | {"ko"}


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """Substitutions, deletions and insertions over the reference's length, in words (WER) or characters (CER).

    Attributes:
        unit: "WER" or "CER".
        errors: the least number of edits that turn the hypothesis into the reference.
        length: of the reference.
    """

    unit: str
    errors: int
    length: int

    @property
    def rate(self) -> float | None:
        """Errors / length; None without a reference."""
        return self.errors / self.length if self.length else None


def error_rate(pairs: Sequence[tuple[str, str]], language: str) -> ErrorRate:
    """The error rate of (reference, hypothesis) pairs taken together.

    Both are lower-cased and stripped of punctuation (NFC). Japanese and Korean are compared by characters, without
    spaces; others by words.
    """
    by_character = language in CHARACTER_LANGUAGES
    split = [tuple(_units(text, by_character=by_character) for text in pair) for pair in pairs]
    return ErrorRate(
        unit="CER" if by_character else "WER",
        errors=sum(edit_distance(reference, hypothesis) for reference, hypothesis in split),
        length=sum(len(reference) for reference, _ in split),
    )


def edit_distance(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """Levenshtein's: the least number of units to replace, remove or add."""
    row = list(range(len(hypothesis) + 1))
    for done, wanted in enumerate(reference, start=1):
        diagonal, row[0] = row[0], done
        for place, found in enumerate(hypothesis, start=1):
            diagonal, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, diagonal + (wanted != found))
    return row[-1]


def _units(text: str, *, by_character: bool) -> list[str]:
    kept = "".join(
        char for char in unicodedata.normalize("NFC", text).lower() if unicodedata.category(char)[0] not in "PSC"
    )
    return list("".join(kept.split())) if by_character else kept.split()
