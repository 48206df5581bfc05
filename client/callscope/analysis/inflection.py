"""The forms in which the entries of a lexicon are met: what a linguist writes once, as it is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

FIRST_SYLLABLE, VOWELS, FINALS = 0xAC00, 21, 28
NO_FINAL, N, L, B, SS = 0, 4, 8, 17, 20
"""Numbers of final consonants in a composed syllable: none, ㄴ, ㄹ, ㅂ, ㅆ (Unicode Standard, 3.12)."""
V_A, V_AE, V_EO, V_YEO, V_O, V_WA, V_U, V_WEO, V_EU, V_I = 0, 1, 4, 6, 8, 9, 13, 14, 18, 20
"""Numbers of vowels: ㅏ ㅐ ㅓ ㅕ ㅗ ㅘ ㅜ ㅝ ㅡ ㅣ."""
CONTRACTED = {V_A: V_A, V_AE: V_AE, V_EO: V_EO, V_O: V_WA, V_U: V_WEO, V_I: V_YEO}
"""What a stem's last vowel becomes with 아 or 어."""
BRIGHT = {V_A, V_O}
RIEUL = 5
GODAN = {
    "う": "わいうえおっ",
    "く": "かきくけこい",
    "ぐ": "がぎぐげごい",
    "す": "さしすせそ",
    "つ": "たちつてとっ",
    "ぬ": "なにぬねのん",
    "ぶ": "ばびぶべぼん",
    "む": "まみむめもん",
    "る": "らりるれろっ",
}
"""The last kana of a verb -> what stands in its place (godan, with the euphonic forms before た and て)."""
ADJECTIVE = "いくかけさすそげ"
ENGLISH_VOWELS = frozenset("aeiou")

Inflect = Callable[[str], Iterator[str]]


def as_it_is(entry: str) -> Iterator[str]:
    """The entry, whatever follows it."""
    yield entry


def korean_stem(entry: str) -> Iterator[str]:
    """A verb or adjective without 다: 느리 is met as 느리, 느린, 느립, 느려, 느렸; 빠르 also as 빨라; 좋 as it is."""
    yield entry
    before, (lead, vowel, final) = entry[:-1], _apart(entry[-1])
    if final != NO_FINAL:
        return
    for ending in (N, L, B, SS):
        yield before + _together(lead, vowel, ending)
    if entry[-1] == "하":
        contracted = before, _apart("해")
    elif entry[-1] == "되":
        contracted = before, _apart("돼")
    elif entry[-1] == "르" and before:
        contracted = _doubled(before)
    elif vowel == V_EU:
        contracted = before, (lead, V_A if before and _apart(before[-1])[1] in BRIGHT else V_EO, NO_FINAL)
    else:
        contracted = before, (lead, CONTRACTED.get(vowel, vowel), NO_FINAL)
    stem, (lead, vowel, _) = contracted
    yield stem + _together(lead, vowel, NO_FINAL)
    yield stem + _together(lead, vowel, SS)


def korean_b(entry: str) -> Iterator[str]:
    """A stem whose ㅂ becomes 우: 고맙 is met as 고맙, 고마워, 고마웠, 고마운, 고마울, 고마우."""
    yield entry
    lead, vowel, _ = _apart(entry[-1])
    open_stem = entry[:-1] + _together(lead, vowel, NO_FINAL)
    for ending in ("워", "웠", "운", "울", "우"):
        yield open_stem + ending


def japanese_adjective(entry: str) -> Iterator[str]:
    """An adjective without い: 遅 is met as 遅い, 遅く, 遅かった, 遅ければ, 遅さ, 遅すぎ, 遅そう."""
    for ending in ADJECTIVE:
        yield entry + ending


def japanese_verb(entry: str) -> Iterator[str]:
    """A verb of five rows in its dictionary form: 困る is met as 困ら, 困り, 困る, 困れ, 困ろ, 困っ."""
    for ending in GODAN[entry[-1]]:
        yield entry[:-1] + ending


def english_verb(entry: str) -> Iterator[str]:
    """A regular verb: refuse, refuses, refused, refusing; drop, dropped."""
    yield entry
    yield _with_s(entry)
    stem = _before_vowel(entry)
    yield from (f"{stem}ed", f"{stem}ing") if not entry.endswith("y") else (f"{_with_i(entry)}ed", f"{entry}ing")


def english_adjective(entry: str) -> Iterator[str]:
    """A regular adjective: slow, slower, slowest, slowly; easy, easier, easily."""
    yield entry
    yield f"{_with_i(entry)}ly" if not entry.endswith("le") else f"{entry[:-1]}y"
    if len(entry) <= 6 or entry.endswith("y"):  # noqa: PLR2004  longer ones take more and most
        stem = _with_i(entry) if entry.endswith("y") else _before_vowel(entry)
        yield from (f"{stem}er", f"{stem}est")


def english_noun(entry: str) -> Iterator[str]:
    """A noun and its plural."""
    yield entry
    yield _with_s(entry)


KINDS: Mapping[str, Mapping[str, Inflect]] = {
    "ko": {"noun": as_it_is, "hada": as_it_is, "form": as_it_is, "stem": korean_stem, "b": korean_b},
    "ja": {
        "noun": as_it_is, "form": as_it_is, "ichidan": as_it_is, "i": japanese_adjective, "godan": japanese_verb,
    },
    "en": {"form": as_it_is, "verb": english_verb, "adj": english_adjective, "noun": english_noun},
}  # fmt: skip
"""Language -> kind of entry -> its forms."""


def _apart(syllable: str) -> tuple[int, int, int]:
    """Numbers of a composed syllable's first consonant, vowel and final consonant."""
    lead, rest = divmod(ord(syllable) - FIRST_SYLLABLE, VOWELS * FINALS)
    return lead, *divmod(rest, FINALS)


def _together(lead: int, vowel: int, final: int) -> str:
    return chr(FIRST_SYLLABLE + (lead * VOWELS + vowel) * FINALS + final)


def _doubled(before: str) -> tuple[str, tuple[int, int, int]]:
    """빠르 becomes 빨라: ㄹ closes the syllable before, and opens the last."""
    lead, vowel, _ = _apart(before[-1])
    return before[:-1] + _together(lead, vowel, L), (RIEUL, V_A if vowel in BRIGHT else V_EO, NO_FINAL)


def _with_s(word: str) -> str:
    if word.endswith("y") and word[-2] not in ENGLISH_VOWELS:
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "z", "ch", "sh")) else f"{word}s"


def _with_i(word: str) -> str:
    return f"{word[:-1]}i" if word.endswith("y") and word[-2] not in ENGLISH_VOWELS else word


def _before_vowel(word: str) -> str:
    """Without its silent e, or with a doubled consonant after a single stressed vowel."""
    if word.endswith("e"):
        return word[:-1]
    last = word[-3:]
    short = len(word) <= 4 and len(last) == 3 and last[1] in ENGLISH_VOWELS  # noqa: PLR2004  one syllable
    doubles = short and last[0] not in ENGLISH_VOWELS and last[2] not in ENGLISH_VOWELS | set("wxy")
    return f"{word}{word[-1]}" if doubles else word
