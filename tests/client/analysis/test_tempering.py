from __future__ import annotations

import pytest

from callscope.analysis.tempering import mean_sentiment, temper
from callscope.call import Sentence, Sentiment

UNSURE = Sentiment("neutral", 0.0, {"negative": 0.3, "neutral": 0.4, "positive": 0.3})


def test_without_terms_the_models_judgement_stays() -> None:
    assert temper(UNSURE, "전화번호가 어떻게 되세요?", "ko") is UNSURE


def test_terms_pull_the_model_and_say_how_much() -> None:
    tempered = temper(UNSURE, "서비스가 최악이고 너무 느려요.", "ko")
    assert tempered is not None
    assert tempered.label == "negative"
    assert tempered.source == "model+lexicon"
    assert tempered.lexicon is not None
    assert tempered.lexicon.terms == ("최악", "느려")
    assert tempered.lexicon.share == pytest.approx(0.5 * 2.8 / 4.8)
    assert tempered.score == pytest.approx(tempered.lexicon.share * tempered.lexicon.score)
    assert sum(tempered.probabilities.values()) == pytest.approx(1)


def test_a_sure_model_is_not_outvoted() -> None:
    sure = Sentiment("positive", 0.98, {"negative": 0.0, "neutral": 0.02, "positive": 0.98})
    tempered = temper(sure, "最悪、最低、ひどい。", "ja")
    assert tempered is not None
    assert tempered.label == "positive"
    assert tempered.score < sure.score


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
