"""Numbers in a text, as digits: written ones and spoken ones, with what may stand between them."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "ko", "ja")
BETWEEN = r"[\s\-‐‑–—−ー－.,，．·・/()（）~～_:]"
"""Marks that separate a number's groups."""
MOST_BETWEEN = 5
FEWEST = 3
BEYOND = ((0, 1), (1, 0), (0, 2))
"""Digit words at the start and the end of a spoken number that may be none."""
TEENS = {
    "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15", "sixteen": "16",
    "seventeen": "17", "eighteen": "18", "nineteen": "19",
}  # fmt: skip
TENS = {
    "twenty": 2, "thirty": 3, "forty": 4, "fifty": 5, "sixty": 6, "seventy": 7, "eighty": 8, "ninety": 9,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Atom:
    """One digit, or the few that a word stands for, at `start` to `end` of the text."""

    digits: str
    start: int
    end: int
    spoken: bool


@dataclass(frozen=True, slots=True)
class Number:
    """Digits that follow each other, in groups as they were written or said apart."""

    groups: tuple[tuple[Atom, ...], ...]

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """All of them in order."""
        return tuple(atom for group in self.groups for atom in group)

    @property
    def digits(self) -> str:
        """The number without anything between."""
        return "".join(atom.digits for atom in self.atoms)

    @property
    def lengths(self) -> tuple[int, ...]:
        """How many digits each group has."""
        return tuple(sum(len(atom.digits) for atom in group) for group in self.groups)

    @property
    def start(self) -> int:
        """Where it begins in the text."""
        return self.groups[0][0].start

    @property
    def end(self) -> int:
        """Where it ends in the text."""
        return self.groups[-1][-1].end

    @property
    def spoken(self) -> bool:
        """Whether any digit is a word."""
        return any(atom.spoken for atom in self.atoms)

    def parts(self) -> Iterator[Number]:
        """The number, then what is left without groups at its ends, the longest first.

        Two numbers said in one breath are one run of digits, and a particle can sound like a digit (ja に, ko 이).
        """
        count = len(self.groups)
        for size in range(count, 0, -1):
            for first in range(count - size + 1):
                yield Number(self.groups[first : first + size])
        atoms = self.atoms
        for first, last in BEYOND:
            if self.spoken and len(atoms) > first + last:
                yield Number((atoms[first : len(atoms) - last],))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A language's part of `words.toml`, as patterns over text in lower case."""

    number: re.Pattern[str]
    atom: re.Pattern[str]
    values: Mapping[str, str]
    repeats: Mapping[str, int]
    context: Mapping[str, re.Pattern[str]]
    amount: re.Pattern[str]


CURRENCY = re.compile(r"[$£€¥￥₩]\s?$")
THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?!\d)")


def find_numbers(text: str, language: str) -> Iterator[Number]:
    """Every run of at least three digits or digit words that is no sum of money or thousands.

    Args:
        text: in lower case.
        language: en, ko or ja.
    """
    words = vocabulary(language)
    for run in words.number.finditer(text):
        if CURRENCY.search(text, max(0, run.start() - 2), run.start()) or THOUSANDS.fullmatch(run[0].rstrip(" .,")):
            continue
        number = _number(text, run.start(), run.end(), words)
        if len(number.atoms) >= FEWEST or len(number.digits) > FEWEST:
            yield number


def _number(text: str, start: int, end: int, words: Vocabulary) -> Number:
    """The groups of a run; digits and digit words that touch are two groups."""
    groups: list[list[Atom]] = []
    for match in words.atom.finditer(text, start, end):
        atom = _atom(match, words)
        if groups and groups[-1][-1].end == atom.start and groups[-1][-1].spoken == atom.spoken:
            groups[-1].append(atom)
        else:
            groups.append([atom])
    return Number(tuple(map(tuple, groups)))


def _atom(match: re.Match[str], words: Vocabulary) -> Atom:
    text = match[0]
    if len(text) == 1 and text.isdecimal():
        return Atom(str(unicodedata.decimal(text)), match.start(), match.end(), spoken=False)
    first, _, rest = text.partition(" ")
    if rest and first in words.repeats:
        digits = words.values[rest] if rest in words.values else str(unicodedata.decimal(rest))
        return Atom(digits * words.repeats[first], match.start(), match.end(), spoken=True)
    return Atom(words.values[" ".join(text.replace("-", " ").split())], match.start(), match.end(), spoken=True)


@cache
def vocabulary(language: str) -> Vocabulary:
    """The words of one language."""
    row = table()[language]
    values = {word: str(digit) for digit, said in enumerate(row["digits"]) for word in said}
    repeats: dict[str, int] = row.get("repeats", {})
    whole_words = language == "en"
    if whole_words:
        values |= TEENS | _tens(values)
    said = _any(values, whole_words=whole_words, unless=row.get("unless", {}))
    again = rf"(?:{_any(repeats)}) (?:{said}|\d)" if repeats else r"(?!)"
    atom = rf"(?:\b(?:{again})|{said}|\d)" if whole_words else rf"(?:{said}|\d)"
    fillers = _any(row["fillers"], whole_words=whole_words)
    between = rf"(?:{BETWEEN}|{fillers})"
    return Vocabulary(
        number=re.compile(rf"(?:{atom}{between}{{0,{MOST_BETWEEN}}}+){{2,}}+"),
        atom=re.compile(atom),
        values=values,
        repeats=repeats,
        context={kind: re.compile(_any(words)) for kind, words in row["context"].items()},
        amount=re.compile(rf"\s*(?:{'|'.join(row['amounts'])})"),
    )


@cache
def table() -> Mapping[str, dict[str, Any]]:
    """The whole of `words.toml`."""
    return tomllib.loads(files("callscope.redaction").joinpath("words.toml").read_text("utf-8"))


def _tens(units: Mapping[str, str]) -> dict[str, str]:
    """Twenty, twenty one, …: two digits."""
    ones = {word: digit for word, digit in units.items() if digit != "0"}
    alone = {word: f"{ten}0" for word, ten in TENS.items()}
    return alone | {f"{word} {one}": f"{ten}{digit}" for word, ten in TENS.items() for one, digit in ones.items()}


def _any(words: Iterable[str], *, whole_words: bool = False, unless: Mapping[str, Sequence[str]] | None = None) -> str:
    """One of the words, the longest that fits, unless what follows makes it another word."""
    other = {word: f"(?!{'|'.join(following)})" for word, following in (unless or {}).items()}
    listed = "|".join(
        re.escape(word).replace(r"\ ", "[ -]") + other.get(word, "") for word in sorted(words, key=len, reverse=True)
    )
    return rf"\b(?:{listed})\b" if whole_words else f"(?:{listed})"
