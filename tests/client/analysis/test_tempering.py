from __future__ import annotations

import pytest

from callscope.analysis.tempering import mean_sentiment, temper
from callscope.call import Sentence, Sentiment

UNSURE = Sentiment("neutral", 0.0, {"negative": 0.3, "neutral": 0.4, "positive": 0.3})


def test_without_terms_the_models_judgement_stays() -> None:
    assert temper(UNSURE, "전화번호가 어떻게 되세요?", "ko") is UNSURE


def test_terms_pull_the_model_and_say_how_much() -> None:
    tempered = temper(UNSURE, "서비스가 최악이에요.", "ko")
    assert tempered is not None
    assert tempered.label == "negative"
    assert tempered.source == "model+lexicon"
    assert tempered.lexicon is not None
    assert tempered.lexicon.terms == ("최악",)
    assert tempered.lexicon.share == pytest.approx(0.8 * 1.5 / 2.5)
    assert tempered.score == pytest.approx(tempered.lexicon.share * tempered.lexicon.score)
    assert sum(tempered.probabilities.values()) == pytest.approx(1)


def test_the_share_grows_with_what_is_found() -> None:
    texts = ["It is slow.", "It is slow and broken.", "It is slow and broken and terrible, the worst."]
    shares = [one.lexicon.share for text in texts if (one := temper(UNSURE, text, "en")) and one.lexicon]
    assert len(shares) == len(texts)
    assert shares == sorted(set(shares))
    assert shares[-1] < 0.8


def test_one_word_does_not_outvote_a_sure_model_and_many_do() -> None:
    sure = Sentiment("positive", 0.98, {"negative": 0.0, "neutral": 0.02, "positive": 0.98})
    one, many = (temper(sure, text, "ja") for text in ("遅いです。", "最悪、最低、ひどい。"))
    assert one is not None
    assert many is not None
    assert (one.label, many.label) == ("positive", "negative")
    assert many.score < one.score < sure.score


def test_without_a_model_the_lexicon_decides_and_says_so() -> None:
    alone = temper(None, "I am furious.", "en")
    assert alone is not None
    assert (alone.label, alone.source, dict(alone.probabilities)) == ("negative", "lexicon", {})
    quiet = temper(None, "The phone is on the table.", "en")
    assert quiet is not None
    assert (quiet.label, quiet.score, quiet.lexicon) == ("neutral", 0.0, None)


def test_without_a_model_and_a_lexicon_nothing_is_known() -> None:
    assert temper(None, "C'est terrible", "fr") is None


def test_a_segments_sentiment_is_its_sentences_by_length() -> None:
    bad, good = (temper(UNSURE, text, "en") for text in ("It is terrible and slow.", "Great."))
    whole = mean_sentiment([Sentence("It is terrible and slow.", bad), Sentence("Great.", good)])
    assert whole is not None
    assert bad is not None
    assert good is not None
    assert whole.score == pytest.approx((24 * bad.score + 6 * good.score) / 30)
    assert whole.lexicon is not None
    assert whole.lexicon.terms == ("terrible", "slow", "Great")
    assert whole.source == "model+lexicon"


def test_sentences_that_only_the_lexicon_judged_have_a_label() -> None:
    whole = mean_sentiment([Sentence("I am furious.", temper(None, "I am furious.", "en"))])
    assert whole is not None
    assert (whole.label, whole.source, dict(whole.probabilities)) == ("negative", "lexicon", {})


def test_no_sentence_no_sentiment() -> None:
    assert mean_sentiment([]) is None
    assert mean_sentiment([Sentence("x", None)]) is None
