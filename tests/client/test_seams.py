from __future__ import annotations

import numpy as np
import pytest

from callscope.said import Said
from callscope.seams import sew
from callscope.triton.alignment import TimedWord
from callscope.triton.transcriber import Transcript
from callscope_preprocessing.audio import Span
from callscope_preprocessing.chunk import Chunk, Piece
from callscope_preprocessing.track import track_of

CUT_S = 6.0
RATE_HZ = 1000


def chunk(start_s: float, end_s: float, lead_s: float = 0.0, tail_s: float = 0.0, channel: int = 0) -> Chunk:
    start, end, lead, tail = (round(time_s * RATE_HZ) for time_s in (start_s, end_s, lead_s, tail_s))
    piece = Piece(start, end, end - start, lead, tail)
    return Chunk(channel, track_of(np.zeros(8, np.int16), RATE_HZ), (piece,))


def transcript(words: str, first_s: float, *, language: str = "en", step_s: float = 0.5) -> Transcript:
    """Words of half a second each, the first at `first_s` of what is heard."""
    parts = words.split()
    timed = tuple(
        TimedWord(word, first_s + index * step_s, first_s + (index + 0.9) * step_s, 0.9)
        for index, word in enumerate(parts)
    )
    text = ("" if language == "ja" else " ").join(parts)
    return Transcript(text, language, 0.9, -0.1, 0.01, 1.0, (), timed)


def both(left: Transcript, right: Transcript) -> tuple[Said, Said]:
    """The two sides of a cut at 6 s, each a second beyond it."""
    first, second = sew((chunk(0, CUT_S, tail_s=1), chunk(CUT_S, 12, lead_s=1)), (left, right))
    return first, second


def texts(*said: Said) -> list[str]:
    return [one.transcript.text for one in said]


def test_words_that_both_sides_heard_are_said_once() -> None:
    left = transcript("my line has been down", 4.5)  # 4.5 to 7
    right = transcript("been down since monday", 1.0)  # 6 to 8 of the call
    first, second = both(left, right)
    assert " ".join(texts(first, second)) == "my line has been down since monday"
    assert first.span.end_s == second.span.start_s == second.transcript.words[0].start_s


def test_a_word_that_one_side_heard_badly_is_taken_from_the_other() -> None:
    left = transcript("please check the connex", 4.6)  # the last one is at its end, cut off
    right = transcript("a the connection again", 0.1)  # the first one is cut off as well
    assert " ".join(texts(*both(left, right))) == "please check the connection again"


def test_what_is_said_twice_stays_twice() -> None:
    left = transcript("no no no", 4.7)
    right = transcript("no no thank you", 0.2)  # the last two of three
    assert texts(*both(left, right)) == ["no no no", "thank you"]


def test_a_word_far_from_its_double_is_another_one() -> None:
    left = transcript("yes i see that", 0.0)
    right = transcript("yes of course", 3.0)
    assert texts(*both(left, right)) == ["yes i see that", "yes of course"]


def test_where_they_agree_on_nothing_the_cut_parts_them() -> None:
    left = transcript("one two three four", 5.0)
    right = transcript("five six seven eight", 0.0)
    assert texts(*both(left, right)) == ["one two", "seven eight"]


@pytest.mark.parametrize(
    ("language", "left", "right", "whole"),
    [
        ("ja", "遅 れて 届 いた", "届 いた ん です よ", "遅れて届いたんですよ"),
        ("ko", "휴대폰 요금 때문에", "때문에 전화했는데요", "휴대폰 요금 때문에 전화했는데요"),
    ],
)
def test_japanese_joins_without_spaces_and_korean_with(language: str, left: str, right: str, whole: str) -> None:
    first_s = 7.0 - 0.5 * len(left.split())  # so that the words that both have are said at the same time
    shared = len(set(left.split()) & set(right.split()))
    said = both(transcript(left, first_s, language=language), transcript(right, 2.0 - 0.5 * shared, language=language))
    assert ("" if language == "ja" else " ").join(texts(*said)) == whole


def test_nothing_is_lost_when_one_side_heard_nothing() -> None:
    silence = transcript("", 0.0)
    assert texts(*both(transcript("so it is", 5.4), silence)) == ["so it is", ""]
    assert texts(*both(silence, transcript("so it is", 0.1))) == ["", "so it is"]


def test_words_lie_inside_their_stretch_on_the_calls_clock() -> None:
    for one in both(transcript("my line has been down", 4.5), transcript("been down since monday", 1.0)):
        times = [time for word in one.transcript.words for time in (word.start_s, word.end_s)]
        assert times == sorted(times)
        assert one.span.start_s <= times[0] <= times[-1] <= one.span.end_s


def test_neighbours_that_were_not_cut_apart_and_other_channels_are_left_alone() -> None:
    chunks = (chunk(0, 6, tail_s=1), chunk(5, 7, channel=1), chunk(6, 12, lead_s=1), chunk(12, 14))
    said = sew(chunks, [transcript(words, 5.5) for words in ("a b c", "b c", "x y", "c")])
    assert texts(said[1], said[3]) == ["b c", "c"]
    assert (said[1].span, said[3].span) == (Span(5, 7), Span(12, 14))


def test_text_without_word_times_is_kept_as_it_is() -> None:
    plain = Transcript("so it is", "en", 0.9, -0.1, 0.01, 1.0, ())
    assert texts(*sew((chunk(0, 6), chunk(6, 12)), (plain, plain))) == ["so it is", "so it is"]
