"""What a number is: somebody's card, phone, account, identity or code, or nothing that needs a mask."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Literal

import phonenumbers

from callscope.redaction.digits import Number, Vocabulary

Kind = Literal["card", "phone", "account", "id", "code", "email"]

CARD_LENGTHS = range(13, 20)
LEAST_CARD, LEAST_ACCOUNT = 12, 6
TOLD_PHONE_LENGTHS = range(7, 13)
PHONE_LENGTHS = {"GB": range(10, 12), "KR": range(9, 12), "JP": range(10, 12)}
"""With the nought in front."""
CODE_LENGTHS = range(3, 7)
REGIONS = {"en": ("US", "GB"), "ko": ("KR",), "ja": ("JP",)}
AMERICAN_GROUPS = ((3, 3, 4), (1, 3, 3, 4), (3, 7))
KOREAN_ID_LENGTH, JAPANESE_ID_LENGTH, AMERICAN_ID_LENGTH = 13, 12, 9
CENTURIES = {
    "1": 1900,
    "2": 1900,
    "5": 1900,
    "6": 1900,
    "3": 2000,
    "4": 2000,
    "7": 2000,
    "8": 2000,
    "9": 1800,
    "0": 1800,
}
"""The century of birth by the seventh digit of a Korean registration number; 5 to 8 are foreigners'."""


def kind_of(number: Number, language: str, context: str | None, *, international: bool) -> Kind | None:
    """Judge one whole number.

    Args:
        number: the digits.
        language: en, ko or ja: whose formats to expect.
        context: what the words before it announce: a kind, "other" for a number that is nobody's secret, or None.
        international: whether a plus sign stands before it.
    """
    judgements = _judgements(number, language, context, international=international)
    return next((kind for kind, fits in judgements if fits), None)


def _judgements(
    number: Number, language: str, context: str | None, *, international: bool
) -> Iterator[tuple[Kind, bool]]:
    """Each kind in turn, the surest first, and whether the number is one."""
    digits = number.digits
    yield "id", _is_unmistakable_id(number, language)
    if context == "other":
        return
    if context == "code":
        yield "code", len(digits) in CODE_LENGTHS
        return
    yield "account", context == "account" and len(digits) >= LEAST_ACCOUNT
    yield "id", _is_id(number, language, told=context == "id")
    yield "card", _is_card(digits, told=context == "card")
    yield "phone", _is_phone(number, language, told=context == "phone", international=international)


def context_of(before: str, words: Vocabulary) -> str | None:
    """The kind that the nearest of the context words announces."""
    last: dict[int, str] = {}
    for kind, pattern in words.context.items():
        for match in pattern.finditer(before):
            last[match.end()] = kind
    return last[max(last)] if last else None


def _is_unmistakable_id(number: Number, language: str) -> bool:
    """A Korean number in its usual form, or an American one; nothing else is written so."""
    digits = number.digits
    if language == "ko":
        return number.lengths == (6, 7) and _is_born(digits)
    return language == "en" and number.lengths == (3, 2, 4) and _is_social_security(digits)


def _is_id(number: Number, language: str, *, told: bool) -> bool:
    digits = number.digits
    if language == "ko":
        return len(digits) == KOREAN_ID_LENGTH and _is_born(digits) and (told or number.spoken or _is_korean_id(digits))
    if language == "ja":
        return len(digits) == JAPANESE_ID_LENGTH and (told or _is_japanese_id(digits))
    return told and len(digits) == AMERICAN_ID_LENGTH


def _is_born(digits: str) -> bool:
    """Whether the first seven digits are a date of birth and its century."""
    try:
        date(CENTURIES[digits[6]] + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        return False
    return True


def _is_korean_id(digits: str) -> bool:
    """The check digit of numbers given out before October 2020; later ones have none."""
    total = sum(
        int(digit) * weight for digit, weight in zip(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=False)
    )
    return (11 - total % 11) % 10 == int(digits[12])


def _is_japanese_id(digits: str) -> bool:
    """The check digit of an individual number (Order of the Ministry of Internal Affairs 85 of 2014, article 5)."""
    total = sum(
        int(digit) * (place + 1 if place <= 6 else place - 5)  # noqa: PLR2004  the weights of the order: 2 to 7, 2 to 6
        for place, digit in enumerate(reversed(digits[:11]), start=1)
    )
    return (0 if total % 11 <= 1 else 11 - total % 11) == int(digits[11])


def _is_social_security(digits: str) -> bool:
    """No area, group or serial of noughts; areas 666 and from 900 on are not given out."""
    area = digits[:3]
    return area not in {"000", "666"} and area < "900" and digits[3:5] != "00" and digits[5:] != "0000"


def _is_card(digits: str, *, told: bool) -> bool:
    if told and LEAST_CARD <= len(digits) <= CARD_LENGTHS[-1]:
        return True
    return len(digits) in CARD_LENGTHS and digits[0] in "23456" and len(set(digits)) > 1 and _passes_luhn(digits)


def _passes_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0  # noqa: PLR2004  9 and 10 are Luhn's


def _is_phone(number: Number, language: str, *, told: bool, international: bool) -> bool:
    digits = number.digits
    if international:
        return _is_valid(f"+{digits}", None)
    if told and len(digits) in TOLD_PHONE_LENGTHS:
        return True
    return any(_is_phone_in(region, number) for region in REGIONS[language])


def _is_phone_in(region: str, number: Number) -> bool:
    """Long enough for the country: whoever says 010 1234 5678 says a phone number, whether or not it was given out."""
    digits = number.digits
    if region == "US":
        return (number.spoken or number.lengths in AMERICAN_GROUPS) and digits[0] != "0" and _is_valid(digits, region)
    return len(digits) in PHONE_LENGTHS[region] and digits[0] == "0" and digits[1] != "0"


def _is_valid(digits: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(digits, region))
    except phonenumbers.NumberParseException:
        return False
