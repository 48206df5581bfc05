from __future__ import annotations

import pytest

from callscope.analysis.replies import find_reply
from callscope.analysis.tempering import temper
from callscope.analysis.terms import Term
from callscope.call import Sentiment

GOOD, BAD, NOTHING = 1, -1, 0


@pytest.mark.parametrize(
    ("language", "before", "text", "sign"),
    [
        ("en", "Did that solve it?", "No.", BAD),
        ("en", "Did that solve it?", "Yes, it did.", GOOD),
        ("en", "Is it still broken?", "Yes.", BAD),
        ("en", "Is it still broken?", "Not any more.", GOOD),
        ("en", "Is this your address?", "No.", NOTHING),
        ("en", "Did that solve it?", "Yesterday at ten.", NOTHING),
        ("en", "Did that solve it?", "No, can you repeat that?", NOTHING),
        ("en", "That solved it.", "No.", NOTHING),
        ("en", "Did that solve it?", "No, my number is four five six seven eight.", NOTHING),
        ("ja", "問題は解決しましたか？", "いいえ、まだです。", BAD),
        ("ja", "まだ不具合がありますか？", "はい。", BAD),
        ("ja", "まだ不具合がありますか？", "いいえ。", GOOD),
        ("ja", "こちらのご住所でよろしいですか？", "はい。", NOTHING),
        ("ko", "문제가 해결되셨나요?", "아니요.", BAD),
        ("ko", "문제가 해결되셨나요?", "네.", GOOD),
        ("ko", "직원이 불친절했나요?", "네.", BAD),
        ("ko", "이 주소가 맞으신가요?", "네.", NOTHING),
        ("fr", "Est-ce résolu?", "Non.", NOTHING),
    ],
)
def test_a_yes_or_no_sounds_as_its_question_makes_it(language: str, before: str, text: str, sign: int) -> None:
    reply = find_reply(text, before, language)
    weight = reply.weight if reply else 0
    assert (weight > 0) - (weight < 0) == sign


def test_a_reply_tells_its_place_and_the_questions_entry() -> None:
    assert find_reply("No, it didn't.", "Did that solve it?", "en") == Term(0, 2, "No", -0.75, "solve")


def test_a_reply_with_terms_of_its_own_speaks_for_itself() -> None:
    assert find_reply("No, it is terrible.", "Are you happy?", "en") is None


def test_the_model_which_heard_a_bare_no_yields_to_the_question() -> None:
    heard = Sentiment("neutral", 0.0, {"negative": 0.1, "neutral": 0.8, "positive": 0.1})
    alone, after = temper(heard, "No.", "en"), temper(heard, "No.", "en", "Did that solve it?")
    assert alone is heard
    assert after is not None
    assert (after.label, after.source) == ("negative", "model+lexicon")
    assert after.lexicon is not None
    assert (after.lexicon.share, after.lexicon.terms) == (0.8, ("No",))
    assert after.score == pytest.approx(0.8 * after.lexicon.score)
