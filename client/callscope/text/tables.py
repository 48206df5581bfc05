"""The words behind the rules, for linguists to edit: english.toml, japanese.toml and korean.toml.

Every entry is a regular expression; {ㅂ} is any Korean syllable that ends in that consonant.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from callscope.text.hangul import with_finals
from callscope.text.normalize import normalize


@dataclass(frozen=True, slots=True)
class Weighted:
    """A pattern and what it adds to the logarithm of the odds that a sentence ends."""

    pattern: re.Pattern[str]
    weight: float


@cache
def table(language: str) -> Mapping[str, Any]:
    """Everything in the language's file.

    Args:
        language: name of the file, as "korean".
    """
    found: Mapping[str, Any] = tomllib.loads(files("callscope.text").joinpath(f"{language}.toml").read_text("utf-8"))
    return found


def any_of(patterns: Sequence[str]) -> str:
    """One expression that matches what any of the patterns does, without a group of its own."""
    return "(?:" + with_finals("|".join(map(normalize, patterns))) + ")"


def weighted(rows: Sequence[Mapping[str, Any]], behind: str = "") -> tuple[Weighted, ...]:
    """Each row's patterns, followed by `behind`, with its weight."""
    return tuple(Weighted(re.compile(any_of(row["patterns"]) + behind), row["weight"]) for row in rows)
