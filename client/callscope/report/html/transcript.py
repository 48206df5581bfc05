"""The conversation as the page shows it: segments, their sentences, and the words where they stand in the text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from callscope.call import Call, Segment, Sentiment, Word
from callscope.report.html import people
from callscope.report.html.figures import score
from callscope.report.html.phrases import Phrase, phrase

UNSURE_BELOW = 0.5
KNOWN_LABELS = ("negative", "neutral", "positive")
KNOWN_DOUBTS = ("repetition", "loop", "improbable", "too_fast", "cut_off", "no_speech")
_REACH = 40


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that is one word with its time, or what stands between words."""

    text: str
    at_s: float | None = None
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence and the space after it; `id` is its anchor."""

    id: str
    pieces: tuple[Piece, ...]
    space: str


@dataclass(frozen=True, slots=True)
class Feeling:
    """Sentiment as a sign, a number and a word; `terms` are a lexicon's, as one text."""

    kind: str
    score: str
    name: Phrase
    terms: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A segment; `id` is its anchor, `look` a class of the style sheet."""

    id: str
    segment: Segment
    name: Phrase
    look: str
    feeling: Feeling | None
    lines: tuple[Line, ...]
    doubts: tuple[Phrase, ...]


def entries(call: Call) -> tuple[Entry, ...]:
    """The segments in order."""
    names, looks = people.names(call), people.looks(call)
    return tuple(
        Entry(
            id=anchor(index),
            segment=segment,
            name=names[segment.speaker],
            look=looks[segment.speaker],
            feeling=feeling(segment.sentiment),
            lines=tuple(_lines(segment, anchor(index))),
            doubts=tuple(_doubt(doubt) for doubt in segment.doubts),
        )
        for index, segment in enumerate(call.segments)
    )


def anchor(index: int, sentence: int | None = None) -> str:
    """The anchor of a segment, or of one of its sentences."""
    return f"g{index}" if sentence is None else f"g{index}s{sentence}"


def feeling(sentiment: Sentiment | None) -> Feeling | None:
    """How a sentiment is shown; a label of another model's keeps its name and takes its sign from the score."""
    if sentiment is None:
        return None
    terms = ", ".join(sentiment.lexicon.terms) if sentiment.lexicon else ""
    if sentiment.label in KNOWN_LABELS:
        return Feeling(sentiment.label, score(sentiment.score), phrase(f"mood.{sentiment.label}"), terms)
    kind = "neutral" if round(sentiment.score, 2) == 0 else "positive" if sentiment.score > 0 else "negative"
    return Feeling(kind, score(sentiment.score), phrase("unit.number", value=sentiment.label), terms)


def sentences(segment: Segment) -> tuple[str, ...]:
    """The segment's sentences; the whole text where there are none, or where they are not the text."""
    texts = tuple(sentence.text for sentence in segment.sentences)
    return texts if texts and "".join(texts) == segment.text else (segment.text,)


def _doubt(doubt: str) -> Phrase:
    return phrase(f"doubt.{doubt}") if doubt in KNOWN_DOUBTS else phrase("unit.number", value=doubt)


def _lines(segment: Segment, name: str) -> Iterator[Line]:
    placed = list(_placed(segment.text, segment.words))
    start = 0
    for number, text in enumerate(sentences(segment)):
        end = start + len(text.rstrip())
        own = [place for place in placed if start <= place.start < end]
        space = text[end - start :]
        yield Line(f"{name}s{number}", tuple(_pieces(segment.text, own, start, end)), space)
        start += len(text)


@dataclass(frozen=True, slots=True)
class _Place:
    start: int
    end: int
    word: Word


def _placed(text: str, words: Sequence[Word]) -> Iterator[_Place]:
    """The words where they stand in the text, one after the other; one that is not there has no place."""
    folded, done = _folded(text), 0
    for word in words:
        wanted = _folded(word.word.strip())
        start = folded.find(wanted, done, done + len(wanted) + _REACH) if wanted else -1
        if start >= 0:
            done = start + len(wanted)
            yield _Place(start, done, word)


def _pieces(text: str, places: Sequence[_Place], start: int, end: int) -> Iterator[Piece]:
    for place in places:
        if place.start > start:
            yield Piece(text[start : place.start])
        start = min(place.end, end)
        sure = place.word.confidence is None or place.word.confidence >= UNSURE_BELOW
        yield Piece(text[place.start : start], place.word.start_s, unsure=not sure)
    if start < end:
        yield Piece(text[start:end])


def _folded(text: str) -> str:
    """In lower case, with every character where it was."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
