"""In which language a transcript is that does not say."""

from __future__ import annotations

import re
from collections.abc import Iterable

KANA = re.compile(r"[ぁ-ゖァ-ヺｦ-ﾝ]")
HANGUL = re.compile(r"[가-힣ᄀ-ᇿㄱ-ㆎ]")
LATIN = re.compile(r"[A-Za-zÀ-ɏ]")
LEAST_LETTERS = 0.2
"""Of Latin letters: an English text may quote a word."""
# fmt: off
ENGLISH = frozenset((
    "the", "you", "to", "and", "is", "of", "it", "that", "for", "have", "what", "your", "this", "with", "can", "my",
    "are", "i'm", "it's", "i'll", "don't", "was", "but", "not", "be", "we", "will",
))
# fmt: on
WORD = re.compile(r"[a-zà-ɏ]+(?:['’][a-z]+)?")
LEAST_ENGLISH = 0.15
"""Of all words: every third word of spoken English is one of these, and hardly any of other languages."""


def language_of_texts(texts: Iterable[str]) -> str | None:
    """Ja where kana are written, ko where Hangul is, en where its commonest words are; else None."""
    text = "\n".join(texts)
    kana, hangul = len(KANA.findall(text)), len(HANGUL.findall(text))
    if kana + hangul > LEAST_LETTERS * len(LATIN.findall(text)):
        return "ja" if kana > hangul else "ko"
    words = [word.replace("’", "'") for word in WORD.findall(text.lower())]
    return "en" if words and sum(word in ENGLISH for word in words) >= LEAST_ENGLISH * len(words) else None
