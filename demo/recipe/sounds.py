"""Text -> the Latin letters of how it sounds: targets of the encoder's auxiliary CTC loss.

A recogniser's own tokens say little about sound (a kanji has several readings, a byte of a Korean syllable none), and
an encoder of this size does not learn to listen from them. One small alphabet that the three languages share does it:
English spelling, Japanese phonemes, Korean letters romanised one by one.
"""

from __future__ import annotations

import unicodedata
from functools import cache

LETTERS = " abcdefghijklmnopqrstuvwxyz"
BLANK = len(LETTERS)

_INITIALS = "g kk n d tt r m b pp s ss - j jj ch k t p h".split()
_VOWELS = "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i".split()
_FINALS = "k k k n n n t l k m l l l p l m p p t t ng t t k t p t".split()
_JAMO = {
    **{chr(0x1100 + index): letters.replace("-", "") for index, letters in enumerate(_INITIALS)},
    **{chr(0x1161 + index): letters for index, letters in enumerate(_VOWELS)},
    **{chr(0x11A8 + index): letters for index, letters in enumerate(_FINALS)},
}


@cache
def sounds(text: str, language: str) -> tuple[int, ...]:
    """Indices into `LETTERS`; Japanese has no spaces."""
    spelled = {"en": _english, "ja": _japanese, "ko": _korean}[language](text)
    return tuple(LETTERS.index(letter) for letter in spelled if letter in LETTERS)


def _english(text: str) -> str:
    return text


def _japanese(text: str) -> str:
    import pyopenjtalk  # noqa: PLC0415 - only Japanese needs it

    phonemes = pyopenjtalk.g2p(text).split()
    return "".join({"cl": "q", "pau": ""}.get(phoneme, phoneme.lower()) for phoneme in phonemes)


def _korean(text: str) -> str:
    return "".join(_JAMO.get(letter, letter) for letter in unicodedata.normalize("NFD", text))
