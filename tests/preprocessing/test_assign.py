"""Words given to speakers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscope_preprocessing.assign import assign_words
from callscope_preprocessing.audio import Span
from callscope_preprocessing.speakers import SpeakerTurn


def turn(start_s: float, end_s: float, speaker: str) -> SpeakerTurn:
    return SpeakerTurn(Span(start_s, end_s), speaker)


def second_by_second(count: int) -> list[Span]:
    return [Span(float(n), n + 0.9) for n in range(count)]


times = st.floats(0, 100, allow_nan=False)
spans = st.builds(lambda start_s, length_s: Span(start_s, start_s + length_s), times, st.floats(0, 5))
turns = st.lists(st.builds(SpeakerTurn, spans, st.sampled_from("ABC")), min_size=1, max_size=20)


@given(st.lists(spans, max_size=20).map(sorted), turns, turns, st.data())
def test_every_word_gets_one_of_the_speakers(
    words: list[Span], exclusive: list[SpeakerTurn], overlapping: list[SpeakerTurn], data: st.DataObject
) -> None:
    sentences = sorted(data.draw(st.lists(st.integers(0, 5), min_size=len(words), max_size=len(words))))
    given_to = assign_words(words, exclusive, overlapping, sentences=sentences)
    assert len(given_to) == len(words)
    assert set(given_to) <= {each.speaker for each in exclusive + overlapping}


@given(st.lists(spans, min_size=1, max_size=20).map(sorted), turns)
def test_a_word_goes_to_the_longest_overlap_or_else_to_the_nearest_turn(
    words: list[Span], exclusive: list[SpeakerTurn]
) -> None:
    for word, speaker in zip(words, assign_words(words, exclusive), strict=True):
        overlap_s = {
            each.speaker: sum(
                max(0.0, min(word.end_s, other.span.end_s) - max(word.start_s, other.span.start_s))
                for other in exclusive
                if other.speaker == each.speaker
            )
            for each in exclusive
        }
        if max(overlap_s.values()) > 0:
            assert overlap_s[speaker] == pytest.approx(max(overlap_s.values()))
        else:
            middle_s = (word.start_s + word.end_s) / 2
            away_s = {each: max(each.span.start_s - middle_s, middle_s - each.span.end_s, 0.0) for each in exclusive}
            nearest = min(away_s.values())
            assert speaker in {each.speaker for each, far_s in away_s.items() if far_s == nearest}


def test_words_keep_their_order() -> None:
    words = second_by_second(4)
    assert assign_words(words, [turn(0, 2, "A"), turn(2, 4, "B")]) == ("A", "A", "B", "B")


def test_a_word_where_only_an_overlapping_turn_speaks_goes_to_its_speaker() -> None:
    assert assign_words([Span(5, 6)], [turn(0, 4, "A")], [turn(0, 4, "A"), turn(5, 6, "B")]) == ("B",)


def test_a_slip_within_a_sentence_follows_the_majority() -> None:
    words = second_by_second(6)
    exclusive = [turn(0, 3, "A"), turn(3, 4, "B"), turn(4, 6, "A")]
    assert assign_words(words, exclusive, sentences=[0] * 6) == ("A",) * 6


def test_a_long_run_by_another_within_a_sentence_stays() -> None:
    words = second_by_second(10)
    exclusive = [turn(0, 6, "A"), turn(6, 10, "B")]
    assert assign_words(words, exclusive, sentences=[0] * 10) == ("A",) * 6 + ("B",) * 4


def test_a_word_between_turns_in_the_long_turn_of_another_time_is_that_turns() -> None:
    exclusive = [turn(0, 50, "A"), turn(10, 11, "B")]
    assert assign_words([Span(12, 13)], exclusive) == ("A",)


def test_without_turns_nobody_says_a_word() -> None:
    assert assign_words(second_by_second(2), []) == (None, None)


def test_sentence_numbers_must_fit_the_words() -> None:
    with pytest.raises(ValueError, match="2 words and 1 sentence numbers"):
        assign_words(second_by_second(2), [turn(0, 1, "A")], sentences=[0])
