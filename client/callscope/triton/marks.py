"""How each language writes the mark that a label means."""

from __future__ import annotations

import unicodedata

from callscope.triton.mark_labels import ACRONYM, NONE, mark_of

WESTERN = {"COMMA": ",", "PERIOD": ".", "QUESTION": "?", "EXCLAMATION": "!"}
JAPANESE = {"COMMA": "、", "PERIOD": "。", "QUESTION": "？", "EXCLAMATION": "！"}
MARKS = {"en": WESTERN, "ja": JAPANESE, "ko": WESTERN}
"""The marks of the languages that are known here; in others a label that is a mark stands for itself."""
WITHOUT_SPACES = frozenset({"ja"})
"""Languages in which a mark may follow any character; in the others it follows a word."""


def mark_after(label: str, language: str) -> str:
    """The mark that a label means after a token, as the language writes it; empty for none."""
    kind = mark_of(label) or NONE
    if kind == ACRONYM:
        return "" if language in WITHOUT_SPACES else "."
    if kind != NONE and language not in MARKS and _is_mark(label):
        return label
    return MARKS.get(language, WESTERN).get(kind, "")


def mark_before(label: str, language: str) -> str:
    """The mark that a label means before a token, such as ¿; empty for none, and in languages that have none."""
    return label if language not in MARKS and _is_mark(label) else ""


def _is_mark(label: str) -> bool:
    return len(label) == 1 and unicodedata.category(label) == "Po"
