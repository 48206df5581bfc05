"""Text cut into sentences without losing a character."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

WIDE = "。？！"
FULL_STOPS = WIDE + "?!"
"""Marks that nothing but the end of a sentence takes; a point has other uses."""
CLOSING = "\"'”’»」』）)]"
BOUNDARY = re.compile(rf"[{FULL_STOPS}.．…]+[{re.escape(CLOSING)}]*\s*")
"""A run of marks with the quotes it closes and the space after it: a sentence may end here."""

# fmt: off
BEFORE_A_NAME = frozenset((
    "approx", "capt", "cf", "dr", "e.g", "fig", "gen", "hon", "i.e", "jr", "lt", "mr", "mrs", "ms", "mt", "mx", "prof",
    "rep", "rev", "sen", "sgt", "sr", "st", "vs",
))
"""Abbreviations that do not end a sentence."""
BEFORE_A_NUMBER = frozenset(("art", "ch", "ext", "no", "nos", "p", "pp", "sec", "vol"))
"""Abbreviations before a number, and words elsewhere."""
MAY_END = frozenset((
    "a.m", "apr", "aug", "ave", "blvd", "co", "corp", "dec", "dept", "etc", "feb", "inc", "jan", "jul", "jun", "ltd",
    "nov", "oct", "p.m", "ph.d", "rd", "sep", "sept", "u.k", "u.s", "u.s.a",
))
"""Abbreviations that end a sentence only if a capital follows."""
# fmt: on

LAST_WORD = re.compile(r"[^\s\"'“”‘’«»「『（()\[\]]+$")


def split_sentences(text: str, language: str) -> tuple[str, ...]:
    """Cut `text` after each sentence; marks, closing quotes and the space that follows stay with the sentence before.

    Args:
        text: punctuated text; without marks it is one sentence.
        language: its code: ja and ko by their own rules, all others by the rules of English.

    Returns:
        The sentences, none of them empty; joined they are `text`.
    """
    ends_sentence = RULES.get(language, _ends_english)
    ends = [match.end() for match in BOUNDARY.finditer(text) if match.end() < len(text) and ends_sentence(text, match)]
    edges = pairwise([0, *ends, len(text)])
    return tuple(text[start:end] for start, end in edges if start < end)


def _ends_japanese(text: str, match: re.Match[str]) -> bool:
    """A full stop ends the sentence, unless it closes a quotation that the sentence goes on from (「はい。」と言う)."""
    if _closes_quotation(match) and text.startswith(("と", "って", "、"), match.end()):
        return False
    return _has_full_stop(match) or _before_space(match)


def _ends_korean(text: str, match: re.Match[str]) -> bool:
    """Marks end the sentence before a space, and between Hangul even without one, but not "네."라고."""
    if _closes_quotation(match) and text.startswith(("라고", "라는", "하고", "고 "), match.end()):
        return False
    between_hangul = _is_hangul(text[match.start() - 1 : match.start()]) and _is_hangul(text[match.end()])
    return between_hangul or _before_space(match) or _is_wide(match)


def _ends_english(text: str, match: re.Match[str]) -> bool:
    """Marks end the sentence before a space, unless the last one belongs to an abbreviation, initial or quotation."""
    following = text[match.end()]
    if not _before_space(match):
        return _is_wide(match)
    if _closes_quotation(match) or match[0].startswith(("..", "…")):
        return not following.islower()
    return _has_full_stop(match) or not _is_abbreviation(text[: match.start()], following)


def _is_abbreviation(before: str, following: str) -> bool:
    found = LAST_WORD.search(before)
    if not found:
        return False
    word = found[0].lower()
    if word in MAY_END:
        return not following.isupper()
    if word in BEFORE_A_NUMBER:
        return following.isdigit()
    return word in BEFORE_A_NAME or _is_initial(found[0])


def _is_initial(word: str) -> bool:
    return bool(re.fullmatch(r"(?:[A-Z]\.)*[A-HJ-Z]", word))  # "I." ends sentences


def _has_full_stop(match: re.Match[str]) -> bool:
    return any(mark in FULL_STOPS for mark in match[0])


def _closes_quotation(match: re.Match[str]) -> bool:
    return any(mark in CLOSING for mark in match[0])


def _before_space(match: re.Match[str]) -> bool:
    return match[0][-1].isspace()


def _is_wide(match: re.Match[str]) -> bool:
    return any(mark in WIDE for mark in match[0])


def _is_hangul(character: str) -> bool:
    return "가" <= character <= "힣"


RULES: dict[str, Callable[[str, re.Match[str]], bool]] = {"ja": _ends_japanese, "ko": _ends_korean}
