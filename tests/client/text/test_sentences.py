from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscope.text.sentences import split_sentences

SPEECH = st.text(alphabet="aI .?!,'\"…。？！」「』）Mr가다네요はい3١\n　é")


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        ("en", ["Hello there. ", "How are you? ", "Fine!"]),
        ("en", ["It costs 3.50 a month. ", "Is that all?"]),
        ("en", ["Mr. Smith and Dr. J. R. Jones are here. ", "Good."]),
        ("en", ["Call before 5 p.m. tomorrow. ", "Or at 9 a.m. ", "We open then."]),
        ("en", ["No. ", "I did not order No. 5, e.g. the blue one."]),
        ("en", ["Well... maybe later. ", "So do I. ", "Really?! ", "Yes..."]),
        ("en", ['"Are you sure?" she asked. ', '"I am." ', "Then he left."]),
        ("en", ["See example.com for more. ", "Thanks."]),
        ("en", ["one sentence without marks"]),
        ("ja", ["はい、そうです。", "少々お待ちください。", "よろしいですか？", "はい！"]),
        ("ja", ["「すぐ行きます。」", "そう言いました。"]),
        ("ja", ["「すぐ行きます。」と言われました。", "本当ですか？！", "はい。"]),
        ("ja", ["料金は3.5円です。 ", "以上です"]),
        ("ko", ["네, 맞습니다. ", "언제 오시나요? ", "내일이요!"]),
        ("ko", ["안녕하세요.", "무엇을 도와드릴까요?", "네."]),
        ("ko", ["요금은 3.5만 원입니다. ", '"네."라고 하셨습니다. ', "감사합니다."]),
        ("fr", ["Bonjour. ", "Ça va ?"]),
        ("", ["ok. ", "はい。", "네."]),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(language: str, parts: list[str]) -> None:
    assert split_sentences("".join(parts), language) == tuple(parts)


@pytest.mark.parametrize("language", ["en", "ja", "ko", "xx"])
@given(text=SPEECH | st.text())
def test_no_character_is_lost_or_added(language: str, text: str) -> None:
    parts = split_sentences(text, language)
    assert "".join(parts) == text
    assert all(parts)


@pytest.mark.parametrize("language", ["en", "ja", "ko"])
@given(text=SPEECH)
def test_a_sentence_does_not_begin_with_the_space_after_another(language: str, text: str) -> None:
    assert not any(part[0].isspace() for part in split_sentences(text, language)[1:])
