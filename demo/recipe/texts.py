"""Sentence patterns in, contact-centre sentences out: seeded, and split into training and held-out patterns."""

from __future__ import annotations

import csv
import random
import re
import tomllib
import unicodedata
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

LANGUAGES = ("en", "ja", "ko")
TEXTS = Path(__file__).parents[1] / "texts"
HELD_OUT_EVERY = 12  # about every twelfth pattern of a language is never trained on

Split = Literal["train", "held-out"]

_ALTERNATIVES = re.compile(r"\(([^()]*)\)")
_SLOT = re.compile(r"\{(\w+)\}")
_PUNCTUATION = re.compile(r"[,.?、。？]")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of patterns.tsv: who says it, how it feels, and the sentence with `{slot}` and `(a|b)`."""

    speaker: str
    sentiment: str
    text: str
    held_out: bool


@cache
def slots(language: str) -> dict[str, list[str]]:
    """Slot name -> fillings."""
    with (TEXTS / language / "slots.toml").open("rb") as file:
        return tomllib.load(file)


def _is_held_out(pattern: str) -> bool:
    """By the text itself, so that adding a pattern moves no other one to the other split."""
    return zlib.crc32(pattern.encode()) % HELD_OUT_EVERY == 0


@cache
def patterns(language: str, split: Split) -> tuple[Pattern, ...]:
    """The patterns of one split, in the file's order."""
    with (TEXTS / language / "patterns.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    every = (
        Pattern(row["speaker"], row["sentiment"], row["pattern"], held_out=_is_held_out(row["pattern"])) for row in rows
    )
    return tuple(pattern for pattern in every if pattern.held_out == (split == "held-out"))


def expand(pattern: Pattern, language: str, rng: random.Random) -> str:
    """One sentence of a pattern: alternatives and slots chosen at random."""
    text = _ALTERNATIVES.sub(lambda match: rng.choice(match[1].split("|")), pattern.text)
    text = _SLOT.sub(lambda match: rng.choice(slots(language)[match[1]]), text)
    return unicodedata.normalize("NFC", " ".join(text.split()))


def spoken(text: str) -> str:
    """What the recogniser writes: lower case, no punctuation."""
    return " ".join(_PUNCTUATION.sub(" " if text.isascii() else "", text).lower().split())


def sentence(language: str, split: Split, rng: random.Random) -> tuple[Pattern, str]:
    """One random sentence and the pattern it came from."""
    pattern = rng.choice(patterns(language, split))
    return pattern, expand(pattern, language, rng)


def pieces(text: str, language: str) -> list[str]:
    """The words of a sentence; for Japanese its morphemes."""
    if language != "ja":
        return spoken(text).split()
    import pyopenjtalk  # noqa: PLC0415 - only Japanese needs it

    return [word["string"] for word in pyopenjtalk.run_frontend(spoken(text))]


def shuffled_words(language: str, rng: random.Random) -> str:
    """Short runs of words out of unrelated sentences.

    A small decoder learns the patterns by heart and then writes the word it expects instead of the one it hears; these
    utterances can only be written down by listening.
    """
    runs = []
    for _ in range(rng.randint(2, 4)):
        words = pieces(sentence(language, "train", rng)[1], language)
        length = rng.randint(1, 3 if language == "en" else 4 if language == "ja" else 2)
        start = rng.randrange(max(1, len(words) - length + 1))
        runs += words[start : start + length]
    return ("" if language == "ja" else " ").join(runs)
