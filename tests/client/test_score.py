"""Error rates, against jiwer's."""

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscope.score import edit_distance, error_rate

texts = st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=12)


@given(texts, texts)
def test_the_word_error_rate_is_jiwers(reference: list[str], hypothesis: list[str]) -> None:
    pair = " ".join(reference), " ".join(hypothesis)
    assert error_rate([pair], "en").rate == pytest.approx(jiwer.wer(*pair))


@given(texts, texts)
def test_the_character_error_rate_is_jiwers(reference: list[str], hypothesis: list[str]) -> None:
    pair = "".join(reference), "".join(hypothesis)
    assert error_rate([pair], "ja").rate == pytest.approx(jiwer.cer(*pair))


def test_pairs_count_together_by_their_length() -> None:
    found = error_rate([("a b c", "a b c"), ("d", "e")], "en")
    assert (found.unit, found.errors, found.length, found.rate) == ("WER", 1, 4, 0.25)


def test_case_and_punctuation_do_not_count() -> None:
    assert error_rate([("It's fine, thanks.", "its FINE thanks")], "en").errors == 0


@pytest.mark.parametrize(
    ("reference", "hypothesis", "language"),
    [
        ("네, 알겠습니다.", "네 알겠 습니다", "ko"),
        ("はい、そうです。", "はい そうです", "ja"),
        ("네", "\u1102\u1166", "ko"),
    ],
)
def test_japanese_and_korean_ignore_spaces_and_composition(reference: str, hypothesis: str, language: str) -> None:
    found = error_rate([(reference, hypothesis)], language)
    assert (found.unit, found.errors) == ("CER", 0)


def test_without_a_reference_there_is_no_rate() -> None:
    assert error_rate([("", "word")], "en").rate is None


def test_an_empty_hypothesis_misses_every_word() -> None:
    assert edit_distance(["a", "b"], []) == 2
