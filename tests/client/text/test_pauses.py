"""Sentences at whose ends the speaker paused. In a case "|" is a pause and an end, "/" a pause and none."""

from __future__ import annotations

import re

import pytest

from callscope.text.sentences import split_sentences

CASES = (
    ("ko", "그거/ 어제 시켰어| 아직 안 왔어| 언제 와"),
    ("ko", "네| 알겠습니다| 그러니까 제가/ 어제/ 전화를 했는데/ 아무도 안 받았어"),
    ("ko", "기다려/ 주세요"),
    ("ko", "아니요| 저는 안 시켰는데요"),
    ("ko", "저녁까지/ 기다렸지| 안 오더라"),
    ("ja", "はい|わかりました|ええと/昨日の/件なんですけど/まだ届いてない|困る"),
    ("ja", "昨日/買った|全然動かない|なんで"),
    ("ja", "先週/頼んだ/物が/壊れてる|どうすればいい"),
    ("en", "it stopped working on monday| nobody answers the phone| i want to/ cancel the/ contract"),
    ("en", "i called three times/ and nobody helped me| it is really annoying"),
    ("en", "yes| i would like/ to return it"),
)


@pytest.mark.parametrize(("language", "case"), CASES)
def test_a_pause_ends_what_can_end_and_nothing_else(language: str, case: str) -> None:
    text = re.sub(r"[|/]", "", case)
    before = [re.sub(r"[|/]", "", case[: found.start()]) for found in re.finditer(r"[|/]", case)]
    found = split_sentences(text, language, pauses=[len(part) for part in before])
    assert [part.strip() for part in found] == [part.replace("/", "").strip() for part in case.split("|")]


@pytest.mark.parametrize("pause", [4, 5])
def test_a_pause_may_lie_before_or_behind_the_space(pause: int) -> None:
    assert split_sentences("okay it is fine", "en", pauses=[pause]) == ("okay ", "it is fine")


def test_a_text_with_marks_takes_a_pause_for_plain_words_only() -> None:
    text = "그는 집에 갔다 나는 조용해 그리고 잤다."
    pauses = [len("그는 집에 갔다"), len("그는 집에 갔다 나는 조용해")]
    assert split_sentences(text, "ko", pauses=pauses) == ("그는 집에 갔다 ", "나는 조용해 그리고 잤다.")


@pytest.mark.parametrize("pauses", [(), (-3, 0, 99), (2, 2)])
def test_pauses_where_nothing_can_end_change_nothing(pauses: tuple[int, ...]) -> None:
    assert split_sentences("はい。そうです。", "ja", pauses=pauses) == ("はい。", "そうです。")
