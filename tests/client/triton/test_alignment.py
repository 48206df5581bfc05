"""Word times: the path through a picture, and the words that tokens make."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from callscope.triton.alignment import Piece, quiet_frames, split_words, time_words, token_starts

from ..conftest import byte_tokenizer

FRAME_S = 0.02
FRAME_SAMPLES = 320


def sounding(frames: int, *quiet: int) -> NDArray[np.int16]:
    """A window of a tone that is all but silent in some frames."""
    tone = (8000 * np.sin(np.arange(frames * FRAME_SAMPLES))).astype(np.int16).reshape(frames, FRAME_SAMPLES)
    tone[list(quiet)] //= 100
    return tone.reshape(-1)


def looking(spans: list[tuple[int, int]], frames: int, seed: int = 0) -> NDArray[np.float64]:
    """A picture in which each token looks at its frames [start, end), with a little noise everywhere."""
    rng = np.random.default_rng(seed)
    picture = rng.normal(-0.3, 0.1, (len(spans), frames))
    for row, (start, end) in enumerate(spans):
        picture[row, start:end] += 2
    return picture


def best_cost(picture: NDArray[np.float64], row: int, frame: int) -> float:
    """The best path to a place, by trying every way there."""
    here = -picture[row, frame]
    ways = [(row - 1, frame - 1), (row - 1, frame), (row, frame - 1)]
    ways = [(r, f) for r, f in ways if r >= 0 and f >= 0]
    return here + min((best_cost(picture, r, f) for r, f in ways), default=0.0)


def cost_of(picture: NDArray[np.float64], starts: NDArray[np.int64]) -> float:
    """The cost of the path that enters each row where it starts and leaves it where the next one does."""
    frames, total = picture.shape[1], 0.0
    ends = [*starts[1:], frames]
    for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
        total += -picture[row, start : max(end, start + 1)].sum()
    return total


@pytest.mark.parametrize("seed", range(8))
def test_the_path_is_the_best_of_all(seed: int) -> None:
    """Entering a row in the frame in which the one above is left shares that frame with it."""
    picture = np.random.default_rng(seed).normal(size=(3, 5))
    whole = np.vstack([np.zeros(5), picture])
    found = token_starts(picture)
    least = best_cost(whole, 3, 4)
    sharing = (cost_of_sharing(whole, [0, *found], shared) for shared in range(8))
    assert min(sharing) == pytest.approx(least)


def cost_of_sharing(picture: NDArray[np.float64], starts: list[int], shared: int) -> float:
    """The cost when the rows in the bits of `shared` keep the frame in which the next one starts."""
    total, frames = 0.0, picture.shape[1]
    for row, (start, following) in enumerate(pairwise([*starts, frames])):
        keeps = row < len(starts) - 1 and (shared >> row) & 1
        total -= picture[row, start : max(following + bool(keeps), start + 1)].sum()
    return total


def test_tokens_start_where_they_look() -> None:
    """Silence before the first token, a pause between two, and the end of the text."""
    spans = [(12, 20), (20, 31), (45, 50), (50, 60)]
    first, second, after_pause, last = token_starts(looking(spans, 60)).tolist()
    assert (first, second, last) == (12, 20, 50)
    assert 31 <= after_pause <= 45, "somewhere in the pause, in which no token looks more than another"


def test_a_word_ends_before_the_pause_after_it() -> None:
    """Two words, 0.3 s of silence between them, and what lies beyond the sound does not count."""
    picture = looking([(5, 15), (30, 40), (40, 60)], 60)
    words = time_words(
        [Piece("thank", 0, 1), Piece("you", 1, 2)],
        picture,
        np.log(np.array([0.5, 0.25], np.float32)),
        sounding(60),
        frame_s=FRAME_S,
        length_s=0.84,
    )
    assert [word.word for word in words] == ["thank", "you"]
    assert words[0].start_s == pytest.approx(0.1, abs=0.021)
    assert words[0].end_s == pytest.approx(0.3, abs=0.021)
    assert words[1].end_s == pytest.approx(0.8, abs=0.041)
    assert [word.confidence for word in words] == pytest.approx([0.5, 0.25])


def test_a_word_does_not_start_in_the_pause_before_it() -> None:
    """The second token looks at the pause too, as tokens do that must look somewhere."""
    picture = looking([(5, 15), (18, 40), (40, 60)], 60)
    pieces, logprobs = [Piece("thank", 0, 1), Piece("you", 1, 2)], np.zeros(2, np.float32)
    starts = {}
    for name, audio in (("pause", sounding(60, *range(15, 30))), ("noise", sounding(60))):
        words = time_words(pieces, picture, logprobs, audio, frame_s=FRAME_S, length_s=1.2)
        starts[name] = words[1].start_s
        assert words[0].end_s == pytest.approx(0.3, abs=0.021)
    assert starts["pause"] == pytest.approx(0.6, abs=0.021)
    assert starts["noise"] == pytest.approx(0.36, abs=0.021)


def test_frames_are_quiet_beside_loud_ones_only() -> None:
    assert not quiet_frames(np.zeros(640, np.int16), 2).any()
    assert quiet_frames(sounding(10, 3, 4), 10).tolist() == [False] * 3 + [True] * 2 + [False] * 5


@pytest.mark.parametrize("seed", range(5))
def test_times_never_decrease_and_stay_inside(seed: int) -> None:
    """Whatever the picture: noise, more tokens than frames, a window cut short."""
    rng = np.random.default_rng(seed)
    tokens = int(rng.integers(1, 30))
    pieces = [Piece(str(index), index, index + 1) for index in range(tokens)]
    length_s = float(rng.uniform(0.05, 0.5))
    words = time_words(
        pieces,
        rng.normal(size=(tokens + 1, 25)),
        np.zeros(tokens, np.float32),
        rng.integers(-9000, 9000, 25 * FRAME_SAMPLES, np.int16),
        frame_s=FRAME_S,
        length_s=length_s,
    )
    assert all(0 <= word.start_s <= word.end_s <= length_s for word in words)
    assert all(first.end_s <= second.start_s + 1e-9 for first, second in pairwise(words))


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("thank you for calling", "en", ["thank", "you", "for", "calling"]),
        (" yes, it is: 6384", "en", ["yes,", "it", "is:", "6384"]),
        ("네 맞습니다", "ko", ["네", "맞습니다"]),
        ("お困り。はい", "ja", ["お", "困", "り。", "は", "い"]),
    ],
)
def test_tokens_become_words(text: str, language: str, words: list[str]) -> None:
    """A token a byte: a character of Japanese or Korean is three, and marks stay with what is before them."""
    tokenizer = byte_tokenizer()
    tokens = tokenizer.encode(text).ids
    pieces = split_words(tokens, tokenizer, language)
    assert [piece.text for piece in pieces] == words
    assert [piece.first for piece in pieces] == [0, *(piece.end for piece in pieces[:-1])]
    assert pieces[-1].end == len(tokens)


def test_a_broken_character_at_the_end_is_kept_with_its_word() -> None:
    """A token limit can cut a character in two; its tokens count, its text does not."""
    tokenizer = byte_tokenizer()
    tokens = tokenizer.encode("はい").ids[:-1]
    assert split_words(tokens, tokenizer, "ja") == (Piece("は", 0, 5),)


def test_no_tokens_no_words() -> None:
    assert split_words([], byte_tokenizer(), "ko") == ()
    no_tokens = np.zeros(0, np.float32)
    assert time_words((), np.zeros((1, 10)), no_tokens, sounding(10), frame_s=FRAME_S, length_s=1.0) == ()
