"""The lexicons of customer service, as `lexicon/*.toml` have them, made ready to be looked for in texts."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from callscope.analysis.inflection import KINDS

NEGATED_GOOD, NEGATED_BAD = -0.75, -0.6
"""Not good is nearly bad; no problem is less than praise. A group of the lexicon may say otherwise (`negated`)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as the linguist wrote it, and its weight where it is negated; the same where it takes no negation."""

    name: str
    weight: float
    negated: float


@dataclass(frozen=True, slots=True)
class Lexicon:
    """A language's entries, and what changes them.

    Attributes:
        forms: each form in which an entry is met.
        pattern: any of the forms.
        negates_before: negations that stand before what they negate.
        negates_after: negations right behind it.
        negates_twice: what cancels one that stands behind.
        negates_not: what looks like a negation and is none.
        softens: an apology, or feeling for the other.
        boosts: what strengthens the word behind it.
        lessens: what weakens it.
        asks: how a question ends that has no mark.
    """

    forms: Mapping[str, Entry]
    pattern: re.Pattern[str]
    negates_before: re.Pattern[str] | None
    negates_after: re.Pattern[str] | None
    negates_twice: re.Pattern[str] | None
    negates_not: re.Pattern[str] | None
    softens: re.Pattern[str]
    boosts: re.Pattern[str]
    lessens: re.Pattern[str]
    asks: re.Pattern[str] | None


@cache
def read_lexicon(language: str) -> Lexicon:
    """The lexicon of en, ja or ko; read once."""
    text = files("callscope.analysis").joinpath("lexicon", f"{language}.toml").read_text("utf-8")
    table = tomllib.loads(text)
    around = table["around"]
    negates_before = _before(around["negates_before"], language)
    forms = dict(_forms(table["group"], language, negates_before))
    return Lexicon(
        forms=forms,
        pattern=_any_of(forms, language),
        negates_before=negates_before,
        negates_after=_patterns(around["negates_after"]),
        negates_twice=_patterns(around["negates_twice"]),
        negates_not=_patterns(around["negates_not"]),
        softens=re.compile("|".join(around["softens"])),
        boosts=_just_before(around["boosts"], language),
        lessens=_just_before(around["lessens"], language),
        asks=re.compile(rf"(?:{'|'.join(around['asks'])})\s*$") if around["asks"] else None,
    )


def _forms(
    groups: Sequence[Mapping[str, Any]], language: str, negation: re.Pattern[str] | None
) -> Iterator[tuple[str, Entry]]:
    for group in groups:
        inflect = KINDS[language].get(group["kind"])
        if inflect is None:
            raise ValueError(f"{language}.toml has a group of kind {group['kind']!r}, which is none. Correct it.")
        weight = float(group["weight"])
        turned = NEGATED_GOOD if weight > 0 else NEGATED_BAD
        for name in group["entries"]:
            whole = group["kind"] == "form" and (language != "en" or bool(negation and negation.search(name)))
            entry = Entry(name, weight, weight if whole else float(group.get("negated", weight * turned)))
            yield from ((form, entry) for form in inflect(name))


def _any_of(forms: Iterable[str], language: str) -> re.Pattern[str]:
    """Any of the forms, the longest first; grouped by their first character, so that most places fail at once."""
    by_first: dict[str, list[str]] = defaultdict(list)
    for form in sorted(forms, key=len, reverse=True):
        by_first[form[0]].append(re.escape(form[1:]))
    groups = "|".join(f"{re.escape(first)}(?:{'|'.join(rest)})" for first, rest in sorted(by_first.items()))
    edges = {"en": (r"\b", r"\b"), "ko": ("(?<![가-힣])", ""), "ja": ("", "")}
    start, end = edges[language]
    return re.compile(f"{start}(?:{groups}){end}")


def _patterns(listed: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(listed)) if listed else None


def _before(words: Sequence[str], language: str) -> re.Pattern[str] | None:
    if not words:
        return None
    listed = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    return re.compile(rf"(?<![\w'])(?:{listed})(?![\w'])" if language == "en" else rf"(?:^|\s)(?:{listed})$")


def _just_before(words: Sequence[str], language: str) -> re.Pattern[str]:
    listed = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    return re.compile(rf"(?:{listed})\s*$" if language == "ja" else rf"(?<!\w)(?:{listed})\s+$")
