"""What a token classifier's labels say of the mark after a token, by the names in `marks.toml`."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

NONE, ACRONYM = "NONE", "ACRONYM"
CASES = ("u", "o")
"""The second character of labels such as ".U", which name the word's case too."""
PAIR = 2
WORD_FORMS = frozenset({"upper", "lower", "title", "cap", "capital", "capitalized", "mix", "mixed"})
"""Words of labels such as PERIOD_UPPER, which say how the word itself is written."""
PLACES = frozenset({"b", "i", "s"})
"""First words of labels such as B-PERIOD, which say where in its word a token stands."""


def marks(labels: Sequence[str]) -> tuple[str, ...] | None:
    """The mark of each label: COMMA, PERIOD, QUESTION, EXCLAMATION, ACRONYM or NONE; None when a label is unknown."""
    found = [mark_of(label) for label in labels]
    known = tuple(mark for mark in found if mark is not None)
    return known if len(known) == len(found) else None


@cache
def mark_of(label: str) -> str | None:
    """The mark of one label; None when it is unknown."""
    names, plain = _names(), _plain(label)
    if plain in names:
        return names[plain]
    if len(plain) == PAIR and plain[1] in CASES:
        return names.get(plain[0])
    first, *others = plain.split()
    words = others if others and first in PLACES else [first, *others]
    return names.get(" ".join(word for word in words if word not in WORD_FORMS))


@cache
def _names() -> Mapping[str, str]:
    table = tomllib.loads(files("callscope.triton").joinpath("marks.toml").read_text("utf-8"))
    return {_plain(name): mark for mark, names in table.items() for name in names}


def _plain(label: str) -> str:
    """Without case; an underscore or hyphen within a name is a space, one alone is a mark."""
    text = unicodedata.normalize("NFKC", label).casefold()
    return " ".join(text.replace("_", " ").replace("-", " ").split()) if len(text) > 1 else text
