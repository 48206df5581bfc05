"""One form for every text: composed characters, single spaces."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

CLUSTER = re.compile(r"(?s).[\u0300-\u036f\u1160-\u11ff\u3099\u309a]*")
"""A character with what may join it: accents, the vowel and final of a Korean syllable, voicing marks of kana."""


def normalize(text: str) -> str:
    """NFC, each run of whitespace one space, none at the ends.

    Decomposed Hangul and kana with separate voicing marks look the same and break every pattern; keep the raw text
    beside this one where it matters. Full-width letters and digits stay as they are: they are how the text was written.
    """
    return " ".join(unicodedata.normalize("NFC", text).split())


def composed(text: str) -> tuple[str, Sequence[int]]:
    """The text with composed characters, to compare with patterns, and the way back.

    Returns:
        The composed text; for each of its offsets, its end included, the offset in `text`.
    """
    if unicodedata.is_normalized("NFC", text):
        return text, range(len(text) + 1)
    parts: list[str] = []
    offsets: list[int] = []
    for cluster in CLUSTER.finditer(text):
        parts.append(unicodedata.normalize("NFC", cluster[0]))
        offsets += [cluster.start()] * len(parts[-1])
    return "".join(parts), (*offsets, len(text))
