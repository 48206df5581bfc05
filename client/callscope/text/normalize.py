"""One form for every text: composed characters, single spaces."""

from __future__ import annotations

import unicodedata


def normalize(text: str) -> str:
    """NFC, each run of whitespace one space, none at the ends.

    Decomposed Hangul and kana with separate voicing marks look the same and break every pattern; keep the raw text
    beside this one where it matters.
    """
    return " ".join(unicodedata.normalize("NFC", text).split())
