"""What a window's transcript says in each of its stretches, on the call's clock."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from callscope.triton.alignment import TimedWord
from callscope.triton.evidence import compression_ratio
from callscope.triton.stretches import Words, by_piece, texts_of
from callscope.triton.transcriber import Transcript
from callscope_preprocessing.audio import Span
from callscope_preprocessing.chunk import Chunk

LEAST_CONFIDENCE = 1e-30


@dataclass(frozen=True, slots=True)
class Said:
    """A stretch of the call, and the words said in it.

    Attributes:
        channel: the channel it is from.
        span: where it lies in the call.
        transcript: its words, their times from the call's start.
    """

    channel: int
    span: Span
    transcript: Transcript


def said_in(chunk: Chunk, transcript: Transcript) -> tuple[Said, ...]:
    """Split what was heard in a window into what was said in each of its pieces.

    Text, tokens, compression ratio and mean log-probability (there without the end of text) are then those of a
    piece's own words; language, no-speech probability, doubts and temperature are the window's.

    Args:
        chunk: the window.
        transcript: its words, their times from the window's start; with several pieces it needs them.

    Returns:
        One for each piece, in order.
    """
    pieces = by_piece(transcript.words, chunk)
    parts = _parts(transcript, pieces) if len(pieces) > 1 else [transcript]
    return tuple(
        Said(chunk.channel, span, replace(part, words=tuple(_moved(word, chunk.offset_s(index)) for word in words)))
        for index, (span, part, words) in enumerate(zip(chunk.spans, parts, pieces, strict=True))
    )


def _parts(transcript: Transcript, pieces: Sequence[Words]) -> Iterator[Transcript]:
    texts = texts_of(transcript.text, pieces, transcript.language)
    edges = accumulate((sum(word.tokens for word in words) for words in pieces), initial=0)
    for words, text, (first, end) in zip(pieces, texts, pairwise(edges), strict=True):
        yield replace(
            transcript,
            text=text,
            tokens=transcript.tokens[first:end],
            compression_ratio=compression_ratio(text),
            avg_logprob=_mean_logprob(words) if words else transcript.avg_logprob,
        )


def _mean_logprob(words: Words) -> float:
    """Mean log-probability of the words' tokens, from each word's own mean."""
    logprobs = [word.tokens * math.log(max(word.confidence, LEAST_CONFIDENCE)) for word in words]
    return sum(logprobs) / sum(word.tokens for word in words)


def _moved(word: TimedWord, by_s: float) -> TimedWord:
    return replace(word, start_s=by_s + word.start_s, end_s=by_s + word.end_s)
