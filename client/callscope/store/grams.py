"""What a text is found by: its pairs of neighbouring characters.

Japanese has no words to index, Korean words carry their endings, and in both a word of two characters is common, which
an index of three (SQLite's `trigram`, PostgreSQL's `pg_trgm`) cannot find. So texts are found by pairs, in every
language alike, and what is found is compared with the text itself.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache


def fold(text: str) -> str:
    """The form in which texts are compared: NFKC, no case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def grams(text: str) -> tuple[str, ...]:
    """The pairs of letters or digits of a folded text, each once, as words of hexadecimal digits.

    Hexadecimal, so that no tokenizer takes them apart. A text of one character has none.
    """
    pairs = {text[at : at + 2] for at in range(len(text) - 1)}
    return tuple(gram for pair in pairs if (gram := _gram(pair)))


@lru_cache(maxsize=1 << 16)
def _gram(pair: str) -> str:
    return f"{ord(pair[0]):x}z{ord(pair[1]):x}" if pair.isalnum() else ""


def contains(pattern: str) -> str:
    """The LIKE pattern of texts that hold a folded text; a backslash escapes."""
    escaped = pattern.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"
