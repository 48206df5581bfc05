"""What a text is found by: its pairs of neighbouring characters.

Japanese has no words to index, Korean words carry their endings, and in both a word of two characters is common, which
an index of three (SQLite's `trigram`, PostgreSQL's `pg_trgm`) cannot find. So texts are found by pairs, in every
language alike, and what is found is compared with the text itself.
"""

from __future__ import annotations

import unicodedata
from itertools import pairwise


def fold(text: str) -> str:
    """The form in which texts are compared: NFKC, no case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def grams(text: str) -> tuple[str, ...]:
    """The pairs of letters or digits of a folded text, each once, as words of hexadecimal digits.

    Hexadecimal, so that no tokenizer takes them apart. A text of one character has none.
    """
    return tuple({f"{ord(first):x}z{ord(second):x}" for first, second in pairwise(text) if (first + second).isalnum()})


def contains(pattern: str) -> str:
    """The LIKE pattern of texts that hold a folded text; a backslash escapes."""
    escaped = pattern.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"
