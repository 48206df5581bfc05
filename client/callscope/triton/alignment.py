"""When each word was said: a path through the picture that the served `whisper_aligner` gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from callscope.text.normalize import normalize

REPLACEMENT = "\ufffd"
SPACELESS = frozenset({"ja", "zh", "yue", "th", "lo", "my"})
"""Languages whose words have no spaces between them (openai/whisper, tokenizer.py)."""

LOUD_SHARE = 0.9
QUIET_DB = -25.0
"""Quiet is what lies so far under the level that a tenth of the sound exceeds."""

Picture = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens [first, end) of a transcript that make a word, or for languages without spaces the least whole characters.

    Attributes:
        text: NFC, without spaces around it.
    """

    text: str
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word of a window; seconds count from the window's start.

    Attributes:
        confidence: mean token probability, exp of the mean log-probability, 0 to 1.
        tokens: how many tokens it has.
    """

    word: str
    start_s: float
    end_s: float
    confidence: float
    tokens: int = 1


def time_words(
    pieces: Sequence[Piece],
    picture: Picture,
    logprobs: NDArray[np.float32],
    audio: NDArray[np.int16],
    *,
    frame_s: float,
    length_s: float,
) -> tuple[TimedWord, ...]:
    """Give every piece its time and its confidence.

    Args:
        pieces: in order, together all tokens.
        picture: a row for each token and, unless the tokens fill the window's limit, one for the end of text; a column
            for each frame.
        logprobs: of the tokens.
        audio: the window, as many samples as the picture's columns stand for.
        frame_s: the length of a frame.
        length_s: how much of the window is sound; nothing is said later.
    """
    if not pieces:
        return ()
    frames = max(1, min(picture.shape[1], round(length_s / frame_s)))
    tokens = pieces[-1].end
    heard = np.where(quiet_frames(audio, picture.shape[1]), 0, picture)[: tokens + 1, :frames]
    starts = np.append(token_starts(heard), frames)
    timed = []
    for piece in pieces:
        first, end = int(starts[piece.first]), int(starts[piece.end])
        end = _last_looked_at(heard[piece.first : piece.end], first, end)
        confidence = float(np.exp(logprobs[piece.first : piece.end].mean(dtype=np.float64)))
        start_s, end_s = min(first * frame_s, length_s), min(end * frame_s, length_s)
        length = piece.end - piece.first
        timed.append(TimedWord(piece.text, start_s, max(start_s, end_s), min(1.0, confidence), length))
    return tuple(timed)


def split_words(tokens: Sequence[int], tokenizer: Tokenizer, language: str) -> tuple[Piece, ...]:
    """Group the tokens of a transcript into words.

    A token may be a part of a character; such tokens stay together. With spaces between words, a piece starts at each.
    """
    pieces: list[Piece] = []
    for piece in _whole_characters(tokens, tokenizer):
        has_sound = any(map(str.isalnum, piece.text))
        starts_word = has_sound if language in SPACELESS else piece.text.startswith(" ")
        if pieces and not starts_word:
            last = pieces.pop()
            pieces.append(Piece(last.text + piece.text, last.first, piece.end))
        else:
            pieces.append(piece)
    return tuple(Piece(normalize(piece.text.rstrip(REPLACEMENT)), piece.first, piece.end) for piece in pieces)


def _whole_characters(tokens: Sequence[int], tokenizer: Tokenizer) -> list[Piece]:
    """Cut the tokens after every one that ends a character."""
    pieces, first = [], 0
    for end in range(1, len(tokens) + 1):
        text = tokenizer.decode(list(tokens[first:end]))
        if end == len(tokens) or (text and not text.endswith(REPLACEMENT)):
            pieces.append(Piece(text, first, end))
            first = end
    return pieces


def quiet_frames(audio: NDArray[np.int16], frames: int) -> NDArray[np.bool_]:
    """Mark the frames of a window that are far quieter than its loud ones: there nothing begins, wherever tokens look.

    With noise no softer than that under the speech, none is.
    """
    samples = len(audio) // frames
    power = np.square(audio[: samples * frames].reshape(frames, samples).astype(np.float64)).mean(axis=1)
    loud = np.quantile(power[power > 0], LOUD_SHARE) if power.any() else 0.0
    quiet: NDArray[np.bool_] = power < loud * 10 ** (QUIET_DB / 10)
    return quiet


def token_starts(picture: Picture) -> NDArray[np.int64]:
    """The frame at which each row of a picture begins on the best path from its first column to its last.

    Before the first token there may be silence: there the path runs along a row of zeros, the mean of every column.

    Args:
        picture: how much each token (rows) looks at each frame (columns), standardised over the tokens.
    """
    rows = np.vstack([np.zeros(picture.shape[1]), picture])
    steps = _steps(-rows.astype(np.float64))
    starts = np.zeros(len(rows), np.int64)
    row, frame = len(rows) - 1, picture.shape[1] - 1
    while row > 0:
        starts[row] = frame
        step = steps[row, frame]
        row, frame = row - (step != STAY), frame - (step != SHARE)
    return starts[1:]


NEXT, SHARE, STAY = range(3)
"""How a path reaches a place: from the row above in the frame before, in the same frame, or along its row."""


def _steps(cost: NDArray[np.float64]) -> NDArray[np.int8]:
    """Dynamic time warping (Sakoe and Chiba 1978): the best last step to every place, an anti-diagonal at a time."""
    rows, frames = cost.shape
    total = np.full((rows + 1, frames + 1), np.inf)
    total[0, 0] = 0
    steps = np.full((rows, frames), STAY, np.int8)
    for diagonal in range(rows + frames - 1):
        row = np.arange(max(0, diagonal - frames + 1), min(rows, diagonal + 1))
        frame = diagonal - row
        ways = np.stack((total[row, frame], total[row, frame + 1], total[row + 1, frame]))
        steps[row, frame] = ways.argmin(axis=0)
        total[row + 1, frame + 1] = cost[row, frame] + ways.min(axis=0)
    return steps


def _last_looked_at(rows: Picture, first: int, end: int) -> int:
    """The end of the frames in [first, end) that any of the rows looks at more than other tokens do: pauses are not."""
    looked = np.flatnonzero(rows[:, first:end].max(axis=0, initial=-np.inf) > 0)
    return first + int(looked[-1]) + 1 if len(looked) else end
