"""A call of one channel: each word to the speaker who said it, each stretch cut where the speaker changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, groupby

from callscope.said import Said
from callscope.triton.alignment import TimedWord
from callscope.triton.stretches import texts_of
from callscope_preprocessing.assign import assign_words
from callscope_preprocessing.audio import Span
from callscope_preprocessing.speakers import Diarization

SENTENCE_ENDS = tuple(".?!。？！")


def by_speaker(said: Sequence[Said], found: Diarization) -> tuple[tuple[str, Said], ...]:
    """Cut stretches where another speaker goes on.

    Words go to whom they overlap most; where the text has marks, a sentence keeps one speaker unless another says
    several words of it in a row. A stretch without word times goes to who speaks most in it.

    Args:
        said: stretches of one channel, in the order of time.
        found: who speaks when; at least one turn.

    Returns:
        Speaker and what was said, in order; the parts of a stretch meet where the speaker changes.
    """
    marked = any(word.word.endswith(SENTENCE_ENDS) for one in said for word in one.transcript.words)
    spans = [span for one in said for span in _spans(one)]
    sentences = list(_sentences(said)) if marked else None
    speakers = iter(assign_words(spans, found.exclusive, found.turns, sentences=sentences))
    parts: list[tuple[str, Said]] = []
    for one in said:
        names = [next(speakers) or found.speakers[0] for _ in _spans(one)]
        parts += _cut(one, names)
    return tuple(parts)


def _spans(one: Said) -> tuple[Span, ...]:
    """A span for each word; the stretch itself where it has none."""
    return tuple(Span(word.start_s, word.end_s) for word in one.transcript.words) or (one.span,)


def _sentences(said: Sequence[Said]) -> Iterator[int]:
    """A number for each span of `_spans`, in order: another one after each mark, and for each stretch without words."""
    number = 0
    for one in said:
        for word in one.transcript.words:
            yield number
            number += word.word.endswith(SENTENCE_ENDS)
        if not one.transcript.words:
            yield (number := number + 1)
            number += 1


def _cut(one: Said, names: Sequence[str]) -> Iterator[tuple[str, Said]]:
    runs = [(name, len(list(run))) for name, run in groupby(names)]
    if len(runs) == 1:
        yield names[0], one
        return
    words = one.transcript.words
    ends = list(accumulate(length for _, length in runs))
    pieces = [words[end - length : end] for end, (_, length) in zip(ends, runs, strict=True)]
    texts = texts_of(one.transcript.text, pieces, one.transcript.language)
    edges = [one.span.start_s, *(_between_s(words, end) for end in ends[:-1]), one.span.end_s]
    for index, ((name, _), piece, text) in enumerate(zip(runs, pieces, texts, strict=True)):
        span = Span(edges[index], edges[index + 1])
        yield name, Said(one.channel, span, replace(one.transcript, words=_within(piece, span), text=text))


def _between_s(words: Sequence[TimedWord], place: int) -> float:
    """The middle between the word before `place` and the one at it."""
    return (words[place - 1].end_s + words[place].start_s) / 2


def _within(words: Sequence[TimedWord], span: Span) -> tuple[TimedWord, ...]:
    """Words do not reach beyond their stretch, where those of two speakers overlap."""
    return tuple(
        replace(
            word,
            start_s=min(max(word.start_s, span.start_s), span.end_s),
            end_s=min(max(word.end_s, span.start_s), span.end_s),
        )
        for word in words
    )
