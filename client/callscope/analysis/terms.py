"""What a text says that sounds good or bad, by the lexicon of its language."""

from __future__ import annotations

import math
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from callscope.analysis.inflection import KINDS

STRONGEST = 2.0
BOOST, LESSEN, ASKED = 1.3, 0.7, 0.5
NEGATED_GOOD, NEGATED_BAD = -0.75, -0.6
"""Not good is nearly bad; no problem is less than praise. A group of the lexicon may say otherwise (`negated`)."""
SOFTENED = 0.5
"""What bad words count for where somebody apologises or feels for the other: the grievance is not theirs."""
HALF = 4.0
"""The sum of weights, squared, at which a score is 0.71."""
REACH = 8
"""Words before a term in which an English negation holds for it."""
CLAUSE = re.compile(r"[,.;:!?。、！？]|\b(?:but|although|though|however|and (?=i\b|it\b|we\b|they\b|you\b|now\b))")
QUESTION = re.compile(r"[?？]\s*$")


@dataclass(frozen=True, slots=True)
class Term:
    """An expression of the lexicon in a text.

    Attributes:
        start: its first character.
        end: the one after its last.
        text: as it stands in the text.
        weight: -2 to 2, with negation, intensity and questions.
        entry: the lexicon's, for instance "고맙".
    """

    start: int
    end: int
    text: str
    weight: float
    entry: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry as the linguist wrote it, and its weight where it is negated; the same where it takes no negation."""

    name: str
    weight: float
    negated: float


@dataclass(frozen=True, slots=True)
class _Lexicon:
    forms: Mapping[str, _Entry]
    pattern: re.Pattern[str]
    negates_before: re.Pattern[str] | None
    negates_after: re.Pattern[str] | None
    negates_not: re.Pattern[str] | None
    softens: re.Pattern[str]
    boosts: re.Pattern[str]
    lessens: re.Pattern[str]
    asks: re.Pattern[str] | None


def find_terms(text: str, language: str) -> tuple[Term, ...]:
    """The terms of a sentence in their order; none in a language without a lexicon.

    Args:
        text: in NFC, of one sentence.
        language: en, ja or ko.
    """
    if language not in KINDS:
        return ()
    lexicon = _lexicon(language)
    low = text.lower()
    if len(low) != len(text):
        low = text
    return tuple(term for match in lexicon.pattern.finditer(low) if (term := _term(text, low, match, lexicon)).weight)


def score_terms(terms: Iterable[Term]) -> float:
    """How terms sound together, -1 to 1: the sum s of their weights as s / sqrt(s² + 4).

    The form is that of VADER (Hutto and Gilbert, 2014), which has 15 for its scale of weights to 4.
    """
    total = sum(term.weight for term in terms)
    return total / math.sqrt(total * total + HALF)


def _term(text: str, low: str, match: re.Match[str], lexicon: _Lexicon) -> Term:
    entry = lexicon.forms[match[0]]
    before, after = low[: match.start()], low[match.end() :]
    weight = entry.weight
    if entry.negated != weight and _is_negated(before, after, lexicon):
        weight = entry.negated
    weight *= _intensity(before, lexicon)
    if weight < 0 and lexicon.softens.search(low):
        weight *= SOFTENED
    if QUESTION.search(text) or (lexicon.asks and lexicon.asks.search(low)):
        weight *= ASKED
    weight = round(max(-STRONGEST, min(STRONGEST, weight)), 3)
    return Term(match.start(), match.end(), text[match.start() : match.end()], weight, entry.name)


def _is_negated(before: str, after: str, lexicon: _Lexicon) -> bool:
    """One negation turns a term; two leave it as it is."""
    ahead = 0
    if lexicon.negates_before:
        clause = CLAUSE.split(before)[-1]
        if lexicon.negates_not:
            clause = lexicon.negates_not.sub(" ", clause)
        ahead = len(lexicon.negates_before.findall(" ".join(clause.split()[-REACH:])))
    behind = bool(lexicon.negates_after and lexicon.negates_after.match(after))
    return (ahead + behind) % 2 == 1


def _intensity(before: str, lexicon: _Lexicon) -> float:
    if lexicon.boosts.search(before):
        return BOOST
    return LESSEN if lexicon.lessens.search(before) else 1.0


@cache
def _lexicon(language: str) -> _Lexicon:
    text = files("callscope.analysis").joinpath("lexicon", f"{language}.toml").read_text("utf-8")
    table = tomllib.loads(text)
    around = table["around"]
    negates_before = _before(around["negates_before"], language)
    forms = dict(_forms(table["group"], language, negates_before))
    return _Lexicon(
        forms=forms,
        pattern=_any_of(forms, language),
        negates_before=negates_before,
        negates_after=_patterns(around["negates_after"]),
        negates_not=_patterns(around["negates_not"]),
        softens=re.compile("|".join(around["softens"])),
        boosts=_just_before(around["boosts"], language),
        lessens=_just_before(around["lessens"], language),
        asks=re.compile(rf"(?:{'|'.join(around['asks'])})\s*$") if around["asks"] else None,
    )


def _forms(
    groups: Sequence[Mapping[str, Any]], language: str, negation: re.Pattern[str] | None
) -> Iterator[tuple[str, _Entry]]:
    for group in groups:
        inflect = KINDS[language].get(group["kind"])
        if inflect is None:
            raise ValueError(f"{language}.toml has a group of kind {group['kind']!r}, which is none. Correct it.")
        weight = float(group["weight"])
        turned = NEGATED_GOOD if weight > 0 else NEGATED_BAD
        for name in group["entries"]:
            whole = group["kind"] == "form" and (language != "en" or bool(negation and negation.search(name)))
            entry = _Entry(name, weight, weight if whole else float(group.get("negated", weight * turned)))
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
