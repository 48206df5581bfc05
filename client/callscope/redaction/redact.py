"""A call without personal data: every text, word, sentence and quotation of it masked.

A number is often said in several breaths, and the other side says yes between them, so what a speaker says with short
pauses is read as one text.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from callscope.analysis.words import UNSPACED_LANGUAGES
from callscope.call import Call, Evidence, Quality, Segment, Sentence, Sentiment, Word
from callscope.redaction.kinds import Kind
from callscope.redaction.search import Found, find_personal_data, mask_text

MOST_PAUSE_S = 15.0
"""Between two segments of a speaker that one number may go on over."""
HEARD_BEFORE = 3
"""Segments before a number, whoever spoke, that may tell what it is."""


def redact(call: Call) -> Call:
    """Mask card, phone and account numbers, national ids, security codes and e-mail addresses: `[card]`, `[phone]`, ….

    Words keep their times, and sentences still join to their segment's text. The recording's path and metadata are
    masked too. What was masked is counted in `processing.redacted`; a number over several segments counts once.
    """
    shown = _find(call.segments, [segment.text for segment in call.segments])
    written = _find(call.segments, [segment.raw_text for segment in call.segments])
    spoken = _find(call.segments, [_words_joined(segment) for segment in call.segments])
    segments = tuple(map(_without, call.segments, shown.pieces, written.pieces, spoken.pieces))
    return replace(
        call,
        recording=replace(
            call.recording,
            source=mask_text(call.recording.source),
            metadata={key: mask_text(value) for key, value in call.recording.metadata.items()},
        ),
        segments=segments,
        processing=replace(call.processing, redacted=_added(call.processing.redacted, shown.counts)),
        quality=_quality(call.quality, segments) if call.quality else None,
    )


@dataclass(frozen=True, slots=True)
class _Search:
    """What was found: the pieces in each segment, and how many of each kind in all."""

    pieces: Sequence[Sequence[Found]]
    counts: Mapping[str, int]


def _find(segments: Sequence[Segment], texts: Sequence[str]) -> _Search:
    """Search the segments' texts, those of one speaker in a row as one."""
    pieces: list[list[Found]] = [[] for _ in segments]
    counts: Counter[str] = Counter()
    for row in _rows(segments):
        starts, joined = _joined([texts[at] for at in row])

        def said_before(place: int, row: Sequence[int] = row, starts: Sequence[int] = starts) -> str:
            at = row[bisect_right(starts, place) - 1]
            return " ".join(texts[max(0, at - HEARD_BEFORE) : at])

        for found in find_personal_data(joined, segments[row[0]].language, said_before):
            counts[found.kind] += 1
            for at, piece in _split(found, starts, [texts[at] for at in row]):
                pieces[row[at]].append(piece)
    return _Search(pieces, counts)


def _rows(segments: Sequence[Segment]) -> Iterator[list[int]]:
    """Places of segments of one speaker and language, with pauses in which the others may speak."""
    open_rows: dict[tuple[str, str | None], list[int]] = {}
    for place, segment in enumerate(segments):
        key = segment.speaker, segment.language
        row = open_rows.get(key)
        if row and segment.start_s - segments[row[-1]].end_s <= MOST_PAUSE_S:
            row.append(place)
            continue
        if row:
            yield row
        open_rows[key] = [place]
    yield from open_rows.values()


def _joined(texts: Iterable[str]) -> tuple[list[int], str]:
    starts, joined = [], ""
    for text in texts:
        starts.append(len(joined))
        joined += f"{text}\n"
    return starts, joined


def _split(found: Found, starts: Sequence[int], texts: Sequence[str]) -> Iterator[tuple[int, Found]]:
    """The place of each text that the finding touches, and the part of it that lies there."""
    for place in range(bisect_right(starts, found.start) - 1, len(texts)):
        if found.end <= starts[place]:
            return
        if part := found.within(starts[place], starts[place] + len(texts[place])):
            yield place, part


def _without(segment: Segment, shown: Sequence[Found], written: Sequence[Found], spoken: Sequence[Found]) -> Segment:
    """The segment masked where something was found in its text, its raw text and its words."""
    if not (shown or written or spoken):
        return segment
    texts = [sentence.text for sentence in segment.sentences] or [segment.text]
    masked = _masked_parts(texts, shown)
    sentences = tuple(_sentence(old, text) for old, text in zip(segment.sentences, masked, strict=False))
    return replace(
        segment,
        text="".join(masked),
        raw_text="".join(_masked_parts([segment.raw_text], written)),
        words=_masked_words(segment, spoken),
        sentences=sentences,
        sentiment=_sentiment(segment.sentiment),
    )


def _masked_parts(parts: Sequence[str], found: Sequence[Found]) -> list[str]:
    """The parts of a text, each masked by itself where a finding touches it; spaces at its end stay."""
    masked, start = [], 0
    for part in parts:
        text, bare = part, len(part.rstrip())
        for one in sorted(found, key=lambda one: one.start, reverse=True):
            first, last = max(one.start - start, 0), min(one.end - start, bare)
            if first < last:
                text = f"{text[:first]}[{one.kind}]{text[last:]}"
        masked.append(text)
        start += len(part)
    return masked


def _masked_words(segment: Segment, found: Sequence[Found]) -> tuple[Word, ...]:
    space = _space(segment)
    words, start = [], 0
    for word in segment.words:
        end = start + len(word.word)
        kinds = [one.kind for one in found if one.start < end and start < one.end]
        words.append(replace(word, word=_mask(kinds[0])) if kinds else word)
        start = end + len(space)
    return tuple(words)


def _words_joined(segment: Segment) -> str:
    return _space(segment).join(word.word for word in segment.words)


def _space(segment: Segment) -> str:
    return "" if segment.language in UNSPACED_LANGUAGES else " "


def _mask(kind: Kind) -> str:
    return f"[{kind}]"


def _sentence(sentence: Sentence, text: str) -> Sentence:
    return replace(sentence, text=text, sentiment=_sentiment(sentence.sentiment))


def _sentiment(sentiment: Sentiment | None) -> Sentiment | None:
    """With what the lexicon quotes masked."""
    if sentiment is None or sentiment.lexicon is None:
        return sentiment
    terms = tuple(map(mask_text, sentiment.lexicon.terms))
    return replace(sentiment, lexicon=replace(sentiment.lexicon, terms=terms))


def _quality(quality: Quality, segments: Sequence[Segment]) -> Quality:
    """With evidence that quotes only what is still there."""
    by_id = {segment.id: segment for segment in segments}
    return replace(quality, evidence=tuple(_evidence(one, by_id[one.segment]) for one in quality.evidence))


def _evidence(evidence: Evidence, segment: Segment) -> Evidence:
    sentences = [sentence.text for sentence in segment.sentences] or [segment.text]
    kept = evidence.text in sentences[evidence.sentence]
    return evidence if kept else replace(evidence, text=sentences[evidence.sentence].strip())


def _added(before: Mapping[str, int], found: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted((Counter(before) + Counter(found)).items()))
