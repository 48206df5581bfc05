"""Where long speech was cut, both sides have heard what is around the cut: here each word gets one place.

A word that both have at the same time, as near the cut as can be, is where the two are sewn together. Where they agree
on none, the cut parts them by time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from callscope.triton.alignment import SPACELESS, TimedWord
from callscope.triton.transcriber import Transcript
from callscope_preprocessing.audio import Span
from callscope_preprocessing.windows import Chunk

SAME_S = 0.5
"""The same word, said once, is heard by both sides at most so far apart; yes, yes is two."""


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


def sew(chunks: Sequence[Chunk], transcripts: Sequence[Transcript]) -> tuple[Said, ...]:
    """Give every word that two chunks have heard to one of them.

    Args:
        chunks: in the order of time, channels mixed.
        transcripts: one for each chunk, word times from the start of what it heard.

    Returns:
        One for each chunk, in their order; where two were cut apart, they meet at the seam.
    """
    said = [_said(chunk, transcript) for chunk, transcript in zip(chunks, transcripts, strict=True)]
    by_channel: defaultdict[int, list[int]] = defaultdict(list)
    for index, chunk in enumerate(chunks):
        before = by_channel[chunk.channel][-1:]
        if before and chunks[before[0]].tail_s and chunk.lead_s:
            said[before[0]], said[index] = _sewn(said[before[0]], said[index], chunk.lead_s)
        by_channel[chunk.channel].append(index)
    return tuple(_with_text(one, chunk) for one, chunk in zip(said, chunks, strict=True))


def _said(chunk: Chunk, transcript: Transcript) -> Said:
    start_s = chunk.heard.start_s
    words = tuple(
        replace(word, start_s=start_s + word.start_s, end_s=start_s + word.end_s) for word in transcript.words
    )
    return Said(chunk.channel, chunk.span, replace(transcript, words=words))


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


def _with_text(said: Said, chunk: Chunk) -> Said:
    """Bring the words' times into the span, and where there is a seam, the text down to the words."""
    span, transcript = said.span, said.transcript
    words = tuple(
        replace(word, start_s=_within(word.start_s, span), end_s=_within(word.end_s, span)) for word in transcript.words
    )
    text = transcript.text
    if chunk.lead_s or chunk.tail_s:
        text = ("" if transcript.language in SPACELESS else " ").join(word.word for word in words)
    return replace(said, transcript=replace(transcript, text=text, words=words))


def _within(time_s: float, span: Span) -> float:
    return min(max(time_s, span.start_s), span.end_s)
