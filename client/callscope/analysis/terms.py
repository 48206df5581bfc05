"""What a text says that sounds good or bad, by the lexicon of its language."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from callscope.analysis.inflection import KINDS
from callscope.analysis.lexicon import Lexicon, read_lexicon

STRONGEST = 2.0
BOOST, LESSEN, ASKED = 1.3, 0.7, 0.5
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


def find_terms(text: str, language: str) -> tuple[Term, ...]:
    """The terms of a sentence in their order; none in a language without a lexicon.

    Args:
        text: in NFC, of one sentence.
        language: en, ja or ko.
    """
    if language not in KINDS:
        return ()
    lexicon = read_lexicon(language)
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


def _term(text: str, low: str, match: re.Match[str], lexicon: Lexicon) -> Term:
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


def _is_negated(before: str, after: str, lexicon: Lexicon) -> bool:
    """One negation turns a term; two leave it as it is."""
    ahead = 0
    if lexicon.negates_before:
        clause = CLAUSE.split(before)[-1]
        if lexicon.negates_not:
            clause = lexicon.negates_not.sub(" ", clause)
        ahead = len(lexicon.negates_before.findall(" ".join(clause.split()[-REACH:])))
    return (ahead + _negations_behind(after, lexicon)) % 2 == 1


def _negations_behind(after: str, lexicon: Lexicon) -> int:
    found = lexicon.negates_after.match(after) if lexicon.negates_after else None
    if found is None:
        return 0
    return 2 if lexicon.negates_twice and lexicon.negates_twice.match(after, found.end()) else 1


def _intensity(before: str, lexicon: Lexicon) -> float:
    if lexicon.boosts.search(before):
        return BOOST
    return LESSEN if lexicon.lessens.search(before) else 1.0
