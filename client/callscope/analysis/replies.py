"""What a yes or no says that sounds good or bad: the question before it tells."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from callscope.analysis.lexicon import NEGATED_BAD, NEGATED_GOOD
from callscope.analysis.terms import ASKED, STRONGEST, Term, find_terms

QUESTION = re.compile(r"[?？]\s*$")
LONGEST = 30
"""Characters of a reply; what is longer says something of its own."""


@dataclass(frozen=True, slots=True)
class _Replies:
    yes: re.Pattern[str]
    no: re.Pattern[str]


def find_reply(text: str, before: str, language: str) -> Term | None:
    """The yes or no of a short reply, with the weight that the question gives it: "No." after "Did that solve it?".

    Args:
        text: in NFC, one sentence.
        before: the last sentence of whoever spoke before.
        language: en, ja or ko.

    Returns:
        None where the text is no such reply, has terms of its own, or where the question has none. `entry` is the
        question's.
    """
    replies = _replies().get(language)
    if replies is None or len(text) > LONGEST or QUESTION.search(text) or not QUESTION.search(before):
        return None
    asked = find_terms(before, language)
    said = replies.no.match(text.lower()) or replies.yes.match(text.lower())
    if said is None or not asked or find_terms(text, language):
        return None
    weight = sum(term.weight for term in asked) / ASKED
    if said.re is replies.no:
        weight *= NEGATED_GOOD if weight > 0 else NEGATED_BAD
    weight = round(max(-STRONGEST, min(STRONGEST, weight)), 3)
    return (
        Term(said.start(1), said.end(1), text[said.start(1) : said.end(1)], weight, asked[0].entry) if weight else None
    )


@cache
def _replies() -> Mapping[str, _Replies]:
    table = tomllib.loads(files("callscope.analysis").joinpath("lexicon", "replies.toml").read_text("utf-8"))
    return {language: _Replies(_any(row["yes"]), _any(row["no"])) for language, row in table.items()}


def _any(words: list[str]) -> re.Pattern[str]:
    """One of the words at the start, the longest first; a Latin word to its end."""
    listed = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(rf"\s*({listed})(?![a-z'])")
