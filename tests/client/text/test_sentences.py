from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscope.text.sentences import split_sentences

PIECES = (
    "감사합니다",
    "고객님",
    "했다",
    "보다",
    "갔어",
    "라고",
    "네",
    "です",
    "ます",
    "か",
    "はい",
    "た",
    "作った",
    "しかし",
    "料理",
)
ENGLISH = ("is", "The", "I", "thank", "you", "to.", "Mr.", "3.", "1", "e\u0301")
MARKS = ("「", "」", "。", "、", "…", "・・・", "(", "“", "”", '"', "!", "?", "\n\u3000")
WORDS = st.lists(st.sampled_from(PIECES + ENGLISH + MARKS), max_size=20)
SPEECH = WORDS.map(" ".join) | WORDS.map("".join)
PAUSES = st.lists(st.integers(-2, 80), max_size=6)


@pytest.mark.parametrize("language", ["en", "ja", "ko", "xx"])
@given(text=SPEECH | st.text(), pauses=PAUSES)
def test_no_character_is_lost_or_added(language: str, text: str, pauses: list[int]) -> None:
    parts = split_sentences(text, language, pauses=pauses)
    assert "".join(parts) == text
    assert all(parts)


@pytest.mark.parametrize("language", ["en", "ja", "ko"])
@given(text=SPEECH, pauses=PAUSES)
def test_a_sentence_does_not_begin_with_the_space_after_another(language: str, text: str, pauses: list[int]) -> None:
    assert not any(part[0].isspace() for part in split_sentences(text, language, pauses=pauses)[1:])


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        ("ko", ("네 확인했습니다 ", "성함이 어떻게 되세요 ", "감사합니다")),
        ("ja", ("ありがとうございます", "ご確認をお願いします", "では失礼いたします")),
        ("en", ("I had a café au lait. ", "Fine.")),
    ],
)
def test_decomposed_characters_are_cut_as_composed_ones_and_stay(language: str, parts: tuple[str, ...]) -> None:
    decomposed = tuple(unicodedata.normalize("NFD", part) for part in parts)
    assert split_sentences("".join(parts), language) == parts
    assert split_sentences("".join(decomposed), language) == decomposed


def test_pauses_are_offsets_in_the_text_as_given() -> None:
    first, second = (unicodedata.normalize("NFD", part) for part in ("시켰어 ", "언제 와"))
    assert split_sentences(first + second, "ko", pauses=[len(first)]) == (first, second)


def test_nothing_is_no_sentence() -> None:
    assert split_sentences("", "ko", pauses=[0]) == ()
