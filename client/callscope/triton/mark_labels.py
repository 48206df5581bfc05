"""What a token classifier's labels say of the mark after a token, by the names in `marks.toml`."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

NONE = "NONE"
CASES = ("u", "o")
"""The second character of labels such as ".U", which name the word's case too."""
PAIR = 2


def marks(labels: Sequence[str]) -> tuple[str, ...] | None:
    """The mark of each label: COMMA, PERIOD, QUESTION, EXCLAMATION or NONE; None when a label is unknown."""
    found = [_mark(_plain(label)) for label in labels]
    known = tuple(mark for mark in found if mark is not None)
    return known if len(known) == len(found) else None


def _mark(label: str) -> str | None:
    names = _names()
    if label not in names and len(label) == PAIR and label[1] in CASES:
        return names.get(label[0])
    return names.get(label)


@cache
def _names() -> Mapping[str, str]:
    table = tomllib.loads(files("callscope.triton").joinpath("marks.toml").read_text("utf-8"))
    return {_plain(name): mark for mark, names in table.items() for name in names}


def _plain(label: str) -> str:
    """Without case; an underscore or hyphen within a name is a space, one alone is a mark."""
    text = unicodedata.normalize("NFKC", label).casefold()
    return " ".join(text.replace("_", " ").replace("-", " ").split()) if len(text) > 1 else text
