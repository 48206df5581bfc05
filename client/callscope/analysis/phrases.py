"""What in a sentence is polite, cushions, shows empathy or apologises: the tables in `quality/`, a file a language."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from callscope.analysis.folding import Folded, fold
from callscope.analysis.patterns import compile_patterns
from callscope.analysis.words import UNSPACED_LANGUAGES

Courtesy = Literal["honorific", "cushion", "empathy", "apology"]
COURTESIES: tuple[Courtesy, ...] = get_args(Courtesy)
LANGUAGES = ("en", "ja", "ko")
MASK = "\N{OBJECT REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words of a sentence as they are written there, and the pattern that found them, as "ko.honorific.formal"."""

    courtesy: Courtesy
    text: str
    pattern: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """`never` is what looks alike and is left out before any of `find` is sought."""

    courtesy: Courtesy
    never: re.Pattern[str] | None
    find: tuple[tuple[str, re.Pattern[str]], ...]


@dataclass(frozen=True, slots=True)
class Phrasebook:
    """The rules of one language, compiled."""

    language: str
    quotations: re.Pattern[str] | None
    rules: tuple[_Rule, ...]

    def find(self, sentence: str) -> tuple[Phrase, ...]:
        """All phrases of a sentence, a courtesy after the other, in order of place."""
        folded = fold(sentence, self.language)
        text = _bare(_masked(folded.text, self.quotations)) or _bare(folded.text)
        return tuple(phrase for rule in self.rules for phrase in self._found(rule, folded, text))

    def _found(self, rule: _Rule, folded: Folded, text: str) -> Iterator[Phrase]:
        text = _masked(text, rule.never)
        spans = [(*each.span(), name) for name, pattern in rule.find for each in pattern.finditer(text) if each[0]]
        for start, end, name in _widest(spans):
            words = folded.words(*self._whole_words(text, start, end))
            yield Phrase(rule.courtesy, words, f"{self.language}.{rule.courtesy}.{name}")

    def _whole_words(self, text: str, start: int, end: int) -> tuple[int, int]:
        """The span with the words it begins and ends in, without the mark after them."""
        if self.language in UNSPACED_LANGUAGES:
            return start, end
        start = re.search(r"[^\s\ufffc]*$", text[:start]).start()  # type: ignore[union-attr]  # matches anywhere
        rest = re.match(r"[\w']*", text[end:])
        return start, end + (rest.end() if rest else 0)


def read_phrasebook(language: str, table: str) -> Phrasebook:
    """Rules from the text of a table.

    Args:
        language: ISO 639-1.
        table: TOML as in `quality/`, whose head says how it is written.

    Raises:
        ValueError: if the table is no TOML, lacks a courtesy or holds a pattern that is no regular expression.
    """
    try:
        content = tomllib.loads(table)
        words = {name: "|".join(listed) for name, listed in content.get("words", {}).items()}
        rules = tuple(_rule(courtesy, content[courtesy], words) for courtesy in COURTESIES)
        return Phrasebook(language, _optional(content.get("quotations", ()), words), rules)
    except (KeyError, AttributeError, TypeError, re.error, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"The phrases of {language!r} cannot be read: {error!r}. Correct the table.") from error


@cache
def phrasebook(language: str) -> Phrasebook | None:
    """The rules of a language; None where there are none."""
    if language not in LANGUAGES:
        return None
    file = files("callscope.analysis").joinpath("quality", f"{language}.toml")
    return read_phrasebook(language, file.read_text("utf-8"))


def _rule(courtesy: Courtesy, row: Mapping[str, object], words: Mapping[str, str]) -> _Rule:
    find, never = row["find"], row.get("never", ())
    if not isinstance(find, Mapping) or not isinstance(never, Sequence):
        raise TypeError(f"{courtesy} needs a table `find`, and `never` is a list")
    named = tuple((str(name), compile_patterns(patterns, words)) for name, patterns in find.items())
    return _Rule(courtesy, _optional(never, words), named)


def _optional(patterns: Sequence[str], words: Mapping[str, str]) -> re.Pattern[str] | None:
    return compile_patterns(patterns, words) if patterns else None


def _masked(text: str, pattern: re.Pattern[str] | None) -> str:
    return pattern.sub(lambda found: MASK * len(found[0]), text) if pattern else text


def _bare(text: str) -> str:
    """Without the marks and the space at the end."""
    letters = [at for at, char in enumerate(text) if unicodedata.category(char)[0] in "LMN"]
    return text[: letters[-1] + 1] if letters else ""


def _widest(spans: Sequence[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    """In order of place, without those that begin inside another."""
    reached = -1
    for start, end, name in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= reached:
            reached = end
            yield start, end, name
