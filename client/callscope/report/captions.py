"""A call as captions: short pieces of the conversation with their times, for SRT and WebVTT.

Lines follow the usual practice of subtitling: at most two of 42 columns, where a CJK character takes two.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from callscope.call import Call, Segment
from callscope.report.txt import speaker_labels

MAX_COLUMNS = 84
MIN_S = 0.001
WIDE = frozenset("WF")


@dataclass(frozen=True, slots=True)
class Caption:
    """What is shown from `start_s` to `end_s`; `text` is one line without control characters."""

    start_s: float
    end_s: float
    speaker: str
    text: str


def captions(call: Call) -> Iterator[Caption]:
    """The segments in order; long ones in several pieces, by their words' times or else by their length."""
    labels = speaker_labels(call)
    for segment in call.segments:
        for start_s, end_s, text in _pieces(segment):
            yield Caption(start_s, max(end_s, start_s + MIN_S), labels[segment.speaker], text)


def _pieces(segment: Segment) -> Iterator[tuple[float, float, str]]:
    text = " ".join(segment.text.split())
    parts = _split(text)
    edges = pairwise(_edges_s(segment, [len(part.replace(" ", "")) for part in parts])) if parts else ()
    for part, (start_s, end_s) in zip(parts, edges, strict=True):
        yield start_s, end_s, part.strip()


def _split(text: str) -> list[str]:
    """The text in parts of at most 84 columns, between words; between characters where there are no spaces."""
    parts, part, columns, space = [], "", 0, 0
    for character in text:
        width = 2 if unicodedata.east_asian_width(character) in WIDE else 1
        if columns + width > MAX_COLUMNS:
            end = space or len(part)
            parts.append(part[:end])
            part, space = part[end:], 0
            columns = _columns(part)
        part, columns = part + character, columns + width
        if character == " ":
            space = len(part)
    return [*parts, part] if part else parts


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in WIDE else 1 for character in text)


def _edges_s(segment: Segment, lengths: Sequence[int]) -> list[float]:
    """Where the parts begin and end: at the word that reaches a part's share of the letters."""
    total = max(sum(lengths), 1)
    edges, done = [segment.start_s], 0
    for length in lengths[:-1]:
        done += length
        edges.append(max(edges[-1], _time_at_s(segment, done / total)))
    return [*edges, segment.end_s]


def _time_at_s(segment: Segment, share: float) -> float:
    """The start of the word that is nearest to a share of the letters: marks are no part of the words."""
    letters = [0, *accumulate(len(word.word) for word in segment.words)]
    if letters[-1] == 0:
        return segment.start_s + share * (segment.end_s - segment.start_s)
    nearest = min(range(len(segment.words)), key=lambda at: abs(letters[at] - share * letters[-1]))
    return segment.words[nearest].start_s
