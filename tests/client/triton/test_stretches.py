from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from callscope.triton.alignment import TimedWord
from callscope.triton.evidence import doubts
from callscope.triton.fake import FakeTransport
from callscope.triton.stretches import by_piece, texts_of, without_repeats
from callscope.triton.transcriber import Transcriber
from callscope_preprocessing.audio import Span
from callscope_preprocessing.chunk import Chunk
from callscope_preprocessing.track import track_of
from callscope_preprocessing.windows import pack


def chunk(*spans: tuple[float, float], rate_hz: int = 1000) -> Chunk:
    sound = track_of(np.zeros(20 * rate_hz, np.int16), rate_hz)
    (made,) = pack(sound, [Span(*span) for span in spans], channel=0, window_s=8, fill=True)
    return made


def word(text: str, start_s: float, end_s: float) -> TimedWord:
    return TimedWord(text, start_s, end_s, 0.9)


def words(text: str) -> tuple[TimedWord, ...]:
    return tuple(word(part, 0.1 * index, 0.1 * index + 0.1) for index, part in enumerate(text.split("|")))


def test_a_word_belongs_to_the_piece_in_which_it_ends_and_in_a_pause_to_the_nearer() -> None:
    two = chunk((1, 2), (5, 6))  # 0 to 1 s and 1.5 to 2.5 s of the window
    said = [word("a", 0, 0.4), word("b", 1.0, 1.2), word("c", 1.2, 1.4), word("d", 0.2, 1.6), word("e", 2.4, 2.6)]
    assert [[one.word for one in piece] for piece in by_piece(said, two)] == [["a", "b"], ["c", "d", "e"]]


def test_a_piece_without_words_has_none() -> None:
    assert by_piece([word("a", 4, 4.2)], chunk((1, 2), (5, 6), (8, 9))) == ((), (), (word("a", 4, 4.2),))
    assert by_piece([], chunk((1, 2), (5, 6))) == ((), ())


@pytest.mark.parametrize(
    ("language", "text", "pieces", "parts"),
    [
        ("en", "yes, it is. no, it's not", ["yes,|it|is.", "", "no,|it's|not"], ["yes, it is.", "", "no, it's not"]),
        ("ko", "네, 확인했습니다. 그래요", ["네,|확인했습니다.", "그래요"], ["네, 확인했습니다.", "그래요"]),
        ("ja", "はい、分かりました。iPhone 15です", ["は|い、|分|か|り|ま|し|た。", "iPhone|15|で|す"],
         ["はい、分かりました。", "iPhone 15です"]),
        ("en", "that that that", ["that", "that|that"], ["that", "that that"]),
    ],
)  # fmt: skip
def test_a_text_is_parted_with_its_spaces_and_marks(
    language: str, text: str, pieces: list[str], parts: list[str]
) -> None:
    assert texts_of(text, [words(piece) if piece else () for piece in pieces], language) == tuple(parts)


@pytest.mark.parametrize(("language", "between"), [("en", " "), ("ja", "")])
def test_words_that_the_text_does_not_have_are_joined(language: str, between: str) -> None:
    assert texts_of("가나", [words("ᄀ|ᅡ"), words("나")], language) == (f"ᄀ{between}ᅡ", "나")


def test_what_stretches_say_alike_counts_once() -> None:
    assert without_repeats(["Yeah.", "", "yeah", "Okay.", "Yeah"], "en") == "Yeah Okay."
    assert without_repeats(["はい。", "はい", "ええ"], "ja") == "はいええ"


@pytest.mark.asyncio
async def test_yes_in_many_stretches_is_no_loop_and_in_one_it_is(
    made_up_server: Callable[..., FakeTransport], heard: Callable[..., Any]
) -> None:
    said = " ".join(["okay"] * 7)
    assert doubts(said, "en", avg_logprob=-0.1, speech_s=3.0) == ("loop",)

    def chunk_of(*spans: tuple[float, float], pause_s: float) -> Chunk:
        sound = track_of(np.full(20 * 16_000, 100, np.int16), 16_000)
        (made,) = pack(sound, [Span(*span) for span in spans], channel=0, window_s=4, fill=True, pause_s=pause_s)
        return made

    transcriber = await Transcriber.from_server(made_up_server(heard(said)))  # the words fill the window's first second
    many = chunk_of(*[(2.0 * number, 2.0 * number + 0.1) for number in range(7)], pause_s=3 / 70)
    one, two = chunk_of((0, 1), pause_s=0), chunk_of((0, 0.8), (9, 9.5), pause_s=0.1)
    found = [(await transcriber.transcribe(chunk, None)).doubts for chunk in (many, one, two)]
    assert found == [(), ("loop",), ("loop",)]
