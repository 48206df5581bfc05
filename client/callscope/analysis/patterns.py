"""Regular expressions as a linguist writes them: {ㅂ} for a Korean final consonant, {name} for a list of words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from callscope.text.normalize import normalize

FIRST_SYLLABLE, LAST_SYLLABLE, FINALS = 0xAC00, 0xD7A3, 28
FINAL_CONSONANTS = {"ㄴ": 4, "ㄹ": 8, "ㅁ": 16, "ㅂ": 17, "ㅆ": 20}
"""Number of the final consonant within a composed syllable (Unicode Standard, 3.12)."""


def compile_patterns(patterns: Iterable[str], words: Mapping[str, str] | None = None) -> re.Pattern[str]:
    """One expression that finds any of the patterns; in text of several lines ^ and $ are those of each line.

    Args:
        patterns: expressions over NFC text.
        words: name -> the expression that stands for {name}; it may name those before it.
    """
    expression = normalize("|".join(f"(?:{pattern})" for pattern in patterns))
    for name, meant in reversed(list((words or {}).items())):
        expression = expression.replace(f"{{{name}}}", f"(?:{meant})")
    for letter, final in FINAL_CONSONANTS.items():
        expression = expression.replace(f"{{{letter}}}", _ending_in(final))
    return re.compile(expression, re.MULTILINE)


def _ending_in(final: int) -> str:
    """A class of all syllables with that final consonant."""
    return "[" + "".join(map(chr, range(FIRST_SYLLABLE + final, LAST_SYLLABLE + 1, FINALS))) + "]"
