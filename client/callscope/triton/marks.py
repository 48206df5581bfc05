"""Which mark a label means, by the names in `marks.toml`, and how each language writes it."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

ACRONYM = "ACRONYM"
WESTERN = {"COMMA": ",", "PERIOD": ".", "QUESTION": "?", "EXCLAMATION": "!"}
JAPANESE = {"COMMA": "、", "PERIOD": "。", "QUESTION": "？", "EXCLAMATION": "！"}
MARKS = {"en": WESTERN, "ja": JAPANESE, "ko": WESTERN}
"""The marks of the languages that are known here; in others a label that is a mark stands for itself."""
WITHOUT_SPACES = frozenset({"ja"})
"""Languages in which a mark may follow any character; in the others it follows a word."""

_INSIDE = re.compile(r"^[bis]-")


@dataclass(frozen=True, slots=True)
class _Names:
    """`marks.toml`: kinds by their names, and what is left out of a label."""

    kinds: Mapping[str, str]
    letters: frozenset[str]
    next_word: frozenset[str]


@cache
def kind_of(label: str) -> str | None:
    """COMMA, PERIOD, QUESTION, EXCLAMATION or ACRONYM; None for a label that means no mark, or none that is known."""
    known, plain = _names(), _plain(label)
    if plain in known.kinds:
        return known.kinds[plain]
    if plain[1:] in known.next_word:
        return known.kinds.get(plain[0])
    words = [word for word in re.split(r"[_+ -]+", _INSIDE.sub("", plain)) if word and word not in known.letters]
    return known.kinds.get(" ".join(words))


def kinds_of(labels: Iterable[str]) -> frozenset[str]:
    """The marks that a model can set."""
    return frozenset(kind for kind in map(kind_of, labels) if kind)


def mark_after(label: str, language: str) -> str:
    """The mark that a label means after a token, as the language writes it; empty for none."""
    kind = kind_of(label)
    if kind == ACRONYM:
        return "" if language in WITHOUT_SPACES else "."
    if language not in MARKS and _is_mark(label):
        return label
    return MARKS.get(language, WESTERN).get(kind or "", "")


def mark_before(label: str, language: str) -> str:
    """The mark that a label means before a token, such as ¿; empty for none, and in languages that have none."""
    return label if language not in MARKS and _is_mark(label) else ""


def _is_mark(label: str) -> bool:
    return len(label) == 1 and unicodedata.category(label) == "Po"


@cache
def _names() -> _Names:
    table = tomllib.loads(files("callscope.triton").joinpath("marks.toml").read_text("utf-8"))
    kinds = {_plain(name): row["kind"] for row in table["mark"] for name in row["names"]}
    return _Names(kinds, frozenset(table["letters"]), frozenset(table["next_word"]))


def _plain(label: str) -> str:
    return unicodedata.normalize("NFKC", label).strip().casefold()
