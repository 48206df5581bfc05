"""Patterns over the parts of Korean syllables."""

from __future__ import annotations

import re

FIRST, LAST, FINALS = 0xAC00, 0xD7A3, 28
NUMBERS = {"ㄴ": 4, "ㄹ": 8, "ㅁ": 16, "ㅂ": 17, "ㅆ": 20}
"""Numbers of final consonants within a composed syllable (Unicode Standard, 3.12)."""
PLACEHOLDER = re.compile(r"\{([ㄱ-ㅎ])\}")


def with_finals(pattern: str) -> str:
    """Put for each {ㄴ}, {ㄹ}, {ㅁ}, {ㅂ} and {ㅆ} a class of all syllables that end in that consonant.

    Raises:
        KeyError: another consonant stands in braces.
    """
    return PLACEHOLDER.sub(lambda found: _ending_in(NUMBERS[found[1]]), pattern)


def is_hangul(character: str) -> bool:
    """Whether it is one composed syllable."""
    return "가" <= character <= "힣"


def _ending_in(final: int) -> str:
    return "[" + "".join(map(chr, range(FIRST + final, LAST + 1, FINALS))) + "]"
