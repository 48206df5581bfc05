from __future__ import annotations

from typing import Any

import pytest

from callscope.triton.evidence import CURABLE, Doubt, compression_ratio, doubts, is_silence, repeats

REAL = {
    "en": "thank you for calling harbor mobile my name is grace and my line has been down since monday",
    "ja": "お電話いただきありがとうございます配送窓口の田中と申します冷蔵庫が五日も遅れて届いたんですよ",
    "ko": "안녕하십니까 고객 센터 상담원 정민호입니다 이번 달에 삼만 팔천 원이나 더 빠져나갔어요",
}
SECONDS = {"en": 6.0, "ja": 6.0, "ko": 6.0}


def found(text: str, language: str = "en", **evidence: Any) -> tuple[Doubt, ...]:
    return doubts(text, language, **({"avg_logprob": -0.2, "speech_s": 6.0} | evidence))


@pytest.mark.parametrize("language", REAL)
def test_what_people_say_raises_no_doubt(language: str) -> None:
    assert found(REAL[language], language, speech_s=SECONDS[language]) == ()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("no no no no no", "en"),
        ("yes i know i know but i was told that i was told the wrong thing", "en"),
        ("my number is zero eight zero zero five five zero zero one", "en"),
        ("はいはいはいはいはいはい", "ja"),
        ("ありがとうございます本当にありがとうございます", "ja"),
        ("そうですかそうですねはいはい", "ja"),
        ("네 네 네 네 네", "ko"),
        ("감사합니다 정말 감사합니다 네 감사합니다", "ko"),
    ],
)
def test_people_repeat_themselves_too(text: str, language: str) -> None:
    assert found(text, language) == ()


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("my line is down down down down down down", "en", ("loop",)),
        ("ありがとうありがとうありがとうありがとうありがとう", "ja", ("repetition", "loop")),
        ("감사합니다 감사합니다 감사합니다 감사합니다 감사합니다 감사합니다", "ko", ("repetition", "loop")),
    ],
)
def test_a_phrase_five_times_on_end_is_a_loop(text: str, language: str, expected: tuple[Doubt, ...]) -> None:
    assert found(text, language) == expected


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("i would like to ask and i would like to know if i would like to", "en"),
        ("申し訳ございませんが申し訳ございませんで申し訳ございません", "ja"),
        ("확인해 드리고 다시 연락 드리겠습니다 확인해 드리고 다시 연락 네 확인해 드리고 다시 연락", "ko"),
    ],
)
def test_the_same_words_again_and_again_with_others_between_are_a_loop(text: str, language: str) -> None:
    assert repeats(text, language)
    assert "loop" in found(text, language, speech_s=9.0)


@pytest.mark.parametrize("language", REAL)
def test_text_that_compresses_too_well_repeats_itself(language: str) -> None:
    text = " ".join([REAL[language]] * 4)
    assert compression_ratio(text) > 2.4
    assert "repetition" in found(text, language, speech_s=60.0)
    assert "repetition" not in found(REAL[language], language)


@pytest.mark.parametrize("language", REAL)
def test_improbable_words_are_doubted_below_whispers_threshold(language: str) -> None:
    assert found(REAL[language], language, avg_logprob=-1.01) == ("improbable",)
    assert found(REAL[language], language, avg_logprob=-0.99) == ()


@pytest.mark.parametrize("language", REAL)
def test_nobody_talks_so_fast(language: str) -> None:
    assert found(REAL[language], language, speech_s=0.6) == ("too_fast",)


@pytest.mark.parametrize("language", REAL)
def test_words_where_the_model_thinks_that_nobody_spoke_are_marked_and_kept(language: str) -> None:
    assert found(REAL[language], language, no_speech_probability=0.61) == ("no_speech",)
    assert found(REAL[language], language, no_speech_probability=0.59) == ()
    assert not is_silence(0.61, -0.2)


def test_a_text_without_an_end_is_marked() -> None:
    assert found(REAL["en"], cut_off=True) == ("cut_off",)


def test_no_text_has_no_doubts() -> None:
    assert found("", avg_logprob=-5.0, speech_s=0.0, no_speech_probability=0.9, cut_off=True) == ()


def test_asking_again_cannot_change_that_nobody_spoke() -> None:
    assert "no_speech" not in CURABLE
    assert {"repetition", "loop", "improbable", "too_fast", "cut_off"} == CURABLE
