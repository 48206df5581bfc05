"""Regular expressions as a linguist writes them: {ㅂ} for a Korean final consonant, {name} for a list of words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from callscope.text.hangul import with_finals
from callscope.text.normalize import normalize


def compile_patterns(patterns: Iterable[str], words: Mapping[str, str] | None = None) -> re.Pattern[str]:
    """One expression that finds any of the patterns; in text of several lines ^ and $ are those of each line.

    Args:
        patterns: expressions over NFC text.
        words: name -> the expression that stands for {name}; it may name those before it.
    """
    expression = normalize("|".join(f"(?:{pattern})" for pattern in patterns))
    for name, meant in reversed(list((words or {}).items())):
        expression = expression.replace(f"{{{name}}}", f"(?:{meant})")
    return re.compile(with_finals(expression), re.MULTILINE)
