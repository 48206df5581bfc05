"""Where the marks of a text end its sentences."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator

from callscope.text.abbreviations import is_abbreviation, is_short_for_a_name
from callscope.text.english import reports_speech
from callscope.text.hangul import is_hangul
from callscope.text.japanese import is_japanese_ending, japanese_quotation_goes_on
from callscope.text.korean import is_korean_ending, korean_quotation_goes_on

WIDE = "。？！｡"
FULL_STOPS = WIDE + "?!"
"""Marks that nothing but the end of a sentence takes; a point has other uses."""
CLOSING = "\"'”’»」』｣）)］]】"
MARKS = re.compile(rf"(?:[{FULL_STOPS}.．…‥]|・・+)+[{re.escape(CLOSING)}]*\s*")
"""A run of marks with the quotes it closes and the space after it: a sentence may end here."""
DOTS = ("..", "…", "‥", "・・", "．．")
BRACKETED = re.compile(r"「[^「」]*」|『[^『』]*』|（[^（）]*）|\([^()]*\)|“[^“”]*”")
QUOTABLE = CLOSING + "?!？！"
DATE = re.compile(r"(?<!\d)(?:19|20)\d\d(?:\. ?\d{1,2}){1,2}$")
NUMBER = re.compile(r"\d{1,3}")
FIRST_WORD = re.compile(r"\S*")
LAST_WORD = re.compile(r"[^\s\"'“”‘’«»「『（()\[\]]+$")
REACH = 64
"""Characters before a mark among which its word is looked for."""

Match = re.Match[str]


def marked_ends(text: str, language: str) -> Iterator[int]:
    """Offsets behind the marks that end sentences, the space after them included; the text's end is one if marked."""
    ends_sentence = RULES.get(language, _ends_english)
    whole = [found.span() for found in BRACKETED.finditer(text)] if language in RULES else []
    start = 0
    for match in MARKS.finditer(text):
        if match.end() == len(text):
            yield match.end()
        elif not _counts(text, start, match) and not _inside(match, whole) and ends_sentence(text, match):
            yield match.end()
            start = match.end()


def _ends_japanese(text: str, match: Match) -> bool:
    """Full stops do, unless the sentence goes on from a quotation or a name (「はい。」と言う)."""
    if match[0][-1] in QUOTABLE and japanese_quotation_goes_on(text, match.end()):
        return False
    if match[0].startswith(DOTS) and not _has_full_stop(match):
        return _before_space(match) or is_japanese_ending(text, match.start(), match.end())
    between = _is_kana_or_kanji(text[match.start() - 1 : match.start()]) and _is_kana_or_kanji(text[match.end()])
    return (
        _has_full_stop(match) or between or (_before_space(match) and not is_short_for_a_name(_last_word(text, match)))
    )


def _ends_korean(text: str, match: Match) -> bool:
    """Before a space, and between Hangul even without one, but not "네."라고, initials, dates and hesitations."""
    following = text[match.end()]
    if _closes_quotation(match) and korean_quotation_goes_on(text, match.end()):
        return False
    if match[0].startswith(DOTS) and not _has_full_stop(match):
        return is_korean_ending(_last_word(text, match))
    if match[0] == ". " and _dates(text[max(0, match.start() - REACH) : match.start()], following):
        return False
    between_hangul = is_hangul(text[match.start() - 1 : match.start()]) and is_hangul(following)
    return (
        _is_wide(match) or between_hangul or (_before_space(match) and not is_short_for_a_name(_last_word(text, match)))
    )


def _ends_english(text: str, match: Match) -> bool:
    """Before a space, unless the marks belong to an abbreviation, an initial or a quotation that is then reported."""
    following = text[match.end()]
    if not _before_space(match):
        return _is_wide(match)
    if _closes_quotation(match) and reports_speech(text, match.end()):
        return False
    if _closes_quotation(match) or match[0].startswith(DOTS):
        return not following.islower()
    first = FIRST_WORD.match(text, match.end())
    return _has_full_stop(match) or not is_abbreviation(_last_word(text, match), first[0] if first else "")


RULES: dict[str, Callable[[str, Match], bool]] = {"ja": _ends_japanese, "ko": _ends_korean}


def _counts(text: str, start: int, match: Match) -> bool:
    """Whether the point stands behind the number of an item, the first of its sentence."""
    return match[0].strip() == "." and bool(NUMBER.fullmatch(text, start, match.start()))


def _dates(before: str, following: str) -> bool:
    """Whether the point belongs to a date, as those of 2026. 3. 5."""
    return bool(DATE.search(before)) or (before[-1:].isdecimal() and following.isdecimal())


def _inside(match: Match, whole: list[tuple[int, int]]) -> bool:
    """Whether the marks stand within brackets that they do not close."""
    before = bisect_left(whole, (match.start(),))
    return before > 0 and match.start() + len(match[0].rstrip()) < whole[before - 1][1]


def _last_word(text: str, match: Match) -> str:
    found = LAST_WORD.search(text[max(0, match.start() - REACH) : match.start()])
    return found[0] if found else ""


def _has_full_stop(match: Match) -> bool:
    return any(mark in FULL_STOPS for mark in match[0])


def _closes_quotation(match: Match) -> bool:
    return any(mark in CLOSING for mark in match[0])


def _before_space(match: Match) -> bool:
    return match[0][-1].isspace()


def _is_wide(match: Match) -> bool:
    return any(mark in WIDE for mark in match[0])


def _is_kana_or_kanji(character: str) -> bool:
    return "ぁ" <= character <= "ヺ" or "一" <= character <= "龯"
