from __future__ import annotations

import math

import numpy as np
import pytest

from callscope.said import said_in
from callscope.seams import sew
from callscope.triton.alignment import TimedWord
from callscope.triton.evidence import compression_ratio
from callscope.triton.transcriber import Transcript
from callscope_preprocessing.audio import Span
from callscope_preprocessing.chunk import Chunk
from callscope_preprocessing.track import track_of
from callscope_preprocessing.windows import pack

RATE_HZ = 1000


def packed(*spans: tuple[float, float], channel: int = 0, window_s: float = 8, overlap_s: float = 0.0) -> list[Chunk]:
    sound = track_of(np.full(30 * RATE_HZ, 100, np.int16), RATE_HZ)
    between = [Span(*span) for span in spans]
    return list(pack(sound, between, channel=channel, window_s=window_s, overlap_s=overlap_s, fill=True))


def transcript(*words: TimedWord, text: str | None = None, language: str = "en") -> Transcript:
    said = " ".join(word.word for word in words) if text is None else text
    tokens = tuple(range(sum(word.tokens for word in words)))
    return Transcript(said, language, 0.9, -0.5, 0.25, 1.0, tokens, words, ("improbable",), 0.2)


TWO = (
    TimedWord("Yes,", 0.1, 0.4, 0.5, 2),
    TimedWord("please.", 0.5, 1.1, 0.25, 1),
    TimedWord("Thank", 1.4, 1.8, 0.8, 1),
    TimedWord("you.", 1.9, 2.3, 0.9, 3),
)


def test_a_windows_words_are_said_in_their_stretches_on_the_calls_clock() -> None:
    (chunk,) = packed((1, 2), (5, 6))
    first, second = said_in(chunk, transcript(*TWO))
    assert (first.span, second.span) == (Span(1, 2), Span(5, 6))
    assert (first.transcript.text, second.transcript.text) == ("Yes, please.", "Thank you.")
    times = [(word.start_s, word.end_s) for one in (first, second) for word in one.transcript.words]
    assert times == [pytest.approx(pair) for pair in ((1.1, 1.4), (1.5, 2.1), (4.9, 5.3), (5.4, 5.8))]


def test_sewn_words_lie_inside_their_stretch() -> None:
    first, second = sew(packed((1, 2), (5, 6)), [transcript(*TWO)])
    assert (first.transcript.words[-1].end_s, second.transcript.words[0].start_s) == (2, 5)
    assert (first.transcript.text, second.transcript.text) == ("Yes, please.", "Thank you.")


def test_each_stretch_is_as_sure_as_its_own_words() -> None:
    (chunk,) = packed((1, 2), (5, 6))
    first, second = (one.transcript for one in said_in(chunk, transcript(*TWO)))
    assert first.avg_logprob == pytest.approx((2 * math.log(0.5) + math.log(0.25)) / 3)
    assert second.avg_logprob == pytest.approx((math.log(0.8) + 3 * math.log(0.9)) / 4)
    assert (first.tokens, second.tokens) == ((0, 1, 2), (3, 4, 5, 6))
    assert (first.compression_ratio, second.compression_ratio) == tuple(
        compression_ratio(text) for text in ("Yes, please.", "Thank you.")
    )
    for one in (first, second):
        assert (one.doubts, one.no_speech_probability, one.language, one.temperature) == (
            ("improbable",), 0.25, "en", 0.2,
        )  # fmt: skip


def test_a_stretch_in_which_nothing_was_heard_has_no_text() -> None:
    (chunk,) = packed((1, 2), (5, 6), (9, 10))
    said = said_in(chunk, transcript(*TWO))
    assert [one.transcript.text for one in said] == ["Yes, please.", "Thank you.", ""]
    assert said[2].transcript.words == ()


def test_a_window_of_one_stretch_keeps_its_transcript() -> None:
    (chunk,) = packed((1, 4))
    plain = Transcript("so it is", "en", 0.9, -0.1, 0.01, 1.0, (1, 2, 3))
    assert [one.transcript for one in said_in(chunk, plain)] == [plain]


def test_channels_are_told_in_the_order_of_time() -> None:
    left, right = packed((1, 2), (5, 6)), packed((3, 4), (7, 8), channel=1)
    said = sew([*left, *right], [transcript(*TWO), transcript(*TWO)])
    assert [(one.channel, one.span.start_s) for one in said] == [(0, 1), (1, 3), (0, 5), (1, 7)]


def test_a_cut_is_sewn_in_a_filled_window_and_the_rest_left_alone() -> None:
    alone, left, right = packed((1, 2), (6, 16), (20, 21), overlap_s=1.0)
    assert [len(chunk.pieces) for chunk in (alone, left, right)] == [1, 1, 2]
    before, after = (TimedWord("hold", 6.2, 6.5, 0.9), TimedWord("line", 7.2, 7.6, 0.9))
    line_s = right.to_window(left.to_call(7.2))
    again, more = (TimedWord("line", line_s, line_s + 0.4, 0.9), TimedWord("please", line_s + 0.5, line_s + 0.9, 0.9))
    far = TimedWord("Bye.", right.to_window(20.1), right.to_window(20.6), 0.9)
    said = sew([alone, left, right], [transcript(), transcript(before, after), transcript(again, more, far)])
    assert [one.transcript.text for one in said] == ["", "hold line", "please", "Bye."]
    assert said[1].span.end_s == said[2].span.start_s == pytest.approx(13.7)
    assert [word.start_s for word in said[3].transcript.words] == [pytest.approx(20.1)]
