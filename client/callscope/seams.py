"""Where long speech was cut, both sides have heard what is around the cut: here each word gets one place.

A word that both have at the same time, as near the cut as can be, is where the two are sewn together. Where they agree
on none, the cut parts them by time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from callscope.said import Said, said_in
from callscope.triton.alignment import TimedWord
from callscope.triton.stretches import join
from callscope.triton.transcriber import Transcript
from callscope_preprocessing.audio import Span
from callscope_preprocessing.chunk import Chunk, Piece

SAME_S = 0.5
"""The same word, said once, is heard by both sides at most so far apart; yes, yes is two."""


def sew(chunks: Sequence[Chunk], transcripts: Sequence[Transcript]) -> tuple[Said, ...]:
    """Give every word to one stretch of the call, also those that two chunks have heard.

    Args:
        chunks: in the order of time, channels mixed.
        transcripts: one for each chunk, word times from the start of what it heard.

    Returns:
        One for each piece of a chunk, in the order of time; where two were cut apart, they meet at the seam.
    """
    said: list[Said] = []
    sewn: set[int] = set()
    before: dict[int, tuple[int, Piece]] = {}  # channel -> its last piece so far, and where in `said` it is
    for chunk, transcript in zip(chunks, transcripts, strict=True):
        for piece, one in zip(chunk.pieces, said_in(chunk, transcript), strict=True):
            index, last = before.get(chunk.channel, (-1, None))
            said.append(one)
            if last and last.last > piece.first:  # both have heard what is between
                said[index], said[-1] = _sewn(said[index], one, piece.lead / chunk.rate_hz)
                sewn |= {index, len(said) - 1}
            before[chunk.channel] = (len(said) - 1, piece)
    finished = [_with_text(_in_span(one)) if index in sewn else _in_span(one) for index, one in enumerate(said)]
    return tuple(sorted(finished, key=lambda one: (one.span.start_s, one.channel)))


def _sewn(left: Said, right: Said, overlap_s: float) -> tuple[Said, Said]:
    cut_s = left.span.end_s
    ends, begins = _seam(left.transcript.words, right.transcript.words, cut_s)
    kept, rest = left.transcript.words[:ends], right.transcript.words[begins:]
    seam_s = _within(rest[0].start_s if rest else cut_s, Span(cut_s - overlap_s, cut_s + overlap_s))
    return (
        Said(left.channel, Span(left.span.start_s, seam_s), replace(left.transcript, words=kept)),
        Said(right.channel, Span(seam_s, right.span.end_s), replace(right.transcript, words=rest)),
    )


def _seam(left: Sequence[TimedWord], right: Sequence[TimedWord], cut_s: float) -> tuple[int, int]:
    """How many words of the left to keep, and how many of the right to leave out."""
    if not left or not right:
        return len(left), 0
    shared = [
        (abs(heard_s - again_s) + abs((heard_s + again_s) / 2 - cut_s), one + 1, other + 1)
        for one, (word, heard_s) in enumerate(map(_placed, left))
        for other, (again, again_s) in enumerate(map(_placed, right))
        if word == again and abs(heard_s - again_s) <= SAME_S
    ]
    if shared:
        _, ends, begins = min(shared)
        return ends, begins
    return sum(_middle_s(word) < cut_s for word in left), sum(_middle_s(word) < cut_s for word in right)


def _placed(word: TimedWord) -> tuple[str, float]:
    """The word without marks and capitals, and its middle."""
    return "".join(filter(str.isalnum, word.word.casefold())), _middle_s(word)


def _middle_s(word: TimedWord) -> float:
    return (word.start_s + word.end_s) / 2


def _in_span(said: Said) -> Said:
    """Bring the words' times into the span."""
    words = tuple(
        replace(word, start_s=_within(word.start_s, said.span), end_s=_within(word.end_s, said.span))
        for word in said.transcript.words
    )
    return replace(said, transcript=replace(said.transcript, words=words))


def _with_text(said: Said) -> Said:
    """Bring the text down to the words."""
    transcript = said.transcript
    return replace(said, transcript=replace(transcript, text=join(transcript.words, transcript.language)))


def _within(time_s: float, span: Span) -> float:
    return min(max(time_s, span.start_s), span.end_s)
