"""Text -> the Latin letters of how it sounds: targets of the encoder's auxiliary CTC loss.

A recogniser's own tokens say little about sound (a kanji has several readings, a byte of a Korean syllable none), and
an encoder of this size does not learn to listen from them. One small alphabet that the three languages share does it:
English and Japanese phonemes, Korean letters romanised one by one. Pauses between words cannot be heard and are left
out.
"""

from __future__ import annotations

import subprocess
import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray

LETTERS = "abcdefghijklmnopqrstuvwxyz"
BLANK = len(LETTERS)

_INITIALS = "g kk n d tt r m b pp s ss - j jj ch k t p h".split()
_VOWELS = "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i".split()
_FINALS = "k k k n n n t l k m l l l p l m p p t t ng t t k t p t".split()
_JAMO = {
    **{chr(0x1100 + index): letters.replace("-", "") for index, letters in enumerate(_INITIALS)},
    **{chr(0x1161 + index): letters for index, letters in enumerate(_VOWELS)},
    **{chr(0x11A8 + index): letters for index, letters in enumerate(_FINALS)},
}
_IPA = {
    **{"j": "y", "tʃ": "ch", "dʒ": "j", "ʃ": "sh", "ʒ": "zh", "θ": "th", "ð": "dh", "ŋ": "ng", "ɹ": "r", "ɾ": "d"},
    **{"ɡ": "g", "ʔ": "t", "iː": "ee", "ɪ": "i", "ᵻ": "i", "uː": "oo", "ʊ": "u", "ɛ": "e", "æ": "ae", "ɑː": "a"},
    **{"ɔː": "o", "ɔ": "o", "ɜː": "er", "ɚ": "er", "ʌ": "a", "ə": "x", "ɐ": "x"},
}

Piece = tuple[int, str]  # characters of the text, letters of their sound


@cache
def sounds(text: str, language: str) -> tuple[int, ...]:
    """Indices into `LETTERS`."""
    return tuple(LETTERS.index(letter) for _, letters in pieces(text, language) for letter in letters)


@cache
def places(text: str, language: str) -> NDArray[np.float32]:
    """How many letters have sounded before each character and after the last: (characters + 1,), ascending.

    Words, morphemes or syllables are exact; inside one the letters are shared out evenly.
    """
    parts = pieces(text, language)
    written = np.cumsum([0, *(characters for characters, _ in parts)])
    sounded = np.cumsum([0, *(len(letters) for _, letters in parts)])
    return np.interp(np.arange(len(text) + 1), written, sounded).astype(np.float32)


@cache
def pieces(text: str, language: str) -> tuple[Piece, ...]:
    """English words, Japanese morphemes or Korean syllables, and the spaces between them."""
    return tuple({"en": _english, "ja": _japanese, "ko": _korean}[language](text))


def _english(text: str) -> list[Piece]:
    found: list[Piece] = []
    for word in text.split(" "):
        found += [(len(word), _english_word(word)), (1, "")]
    return found[:-1]


@cache
def _english_word(word: str) -> str:
    command = ["espeak-ng", "-q", "--ipa", "-v", "en-us", "--", word]
    ipa = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for sound, letters in _IPA.items():
        ipa = ipa.replace(sound, letters)
    return "".join(letter for letter in ipa if letter in LETTERS)


def _japanese(text: str) -> list[Piece]:
    import pyopenjtalk  # noqa: PLC0415 - only Japanese needs it

    words = [(word["string"], word["pron"]) for word in pyopenjtalk.run_frontend(text)]
    if "".join(string for string, _ in words) != text:
        return [(len(text), _kana(text))]
    found: list[Piece] = []
    for string, pronounced in words:
        drawn_out = pronounced.startswith("ー") and found  # the vowel of the word before goes on
        found.append((len(string), (found[-1][1][-1:] if drawn_out else "") + _kana(pronounced.lstrip("ー"))))
    return found


@cache
def _kana(text: str) -> str:
    import pyopenjtalk  # noqa: PLC0415 - only Japanese needs it

    phonemes = pyopenjtalk.g2p(text).split()
    return "".join({"cl": "q", "pau": ""}.get(phoneme, phoneme.lower()) for phoneme in phonemes)


def _korean(text: str) -> list[Piece]:
    syllables = [unicodedata.normalize("NFD", syllable) for syllable in text]
    return [(1, "".join(_JAMO.get(letter, "") for letter in syllable)) for syllable in syllables]
