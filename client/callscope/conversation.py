"""What follows the words, of a recording or of a transcript: who said what becomes a measured conversation.

punctuate -> sentences -> sentiment -> roles -> overlaps -> measures -> quality
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain, pairwise, repeat

from callscope import __version__
from callscope.analysis.measures import Measures
from callscope.analysis.quality import measure_quality
from callscope.analysis.roles import find_roles
from callscope.analysis.talk import measure
from callscope.analysis.tempering import mean_sentiment, temper
from callscope.call import Model, Processing, Quality, Segment, Sentence, Speaker
from callscope.settings import Settings
from callscope.steps import Record
from callscope.text.pauses import pauses
from callscope.text.sentences import split_sentences
from callscope.triton.concurrency import map_concurrently
from callscope.triton.punctuator import Punctuator, has_sentence_marks
from callscope.triton.sentiment import SentimentModel
from callscope.triton.text_models import TextModels


@dataclass(frozen=True, slots=True)
class Conversation:
    """Who spoke, what they said, in order of start, and what it amounts to."""

    speakers: tuple[Speaker, ...]
    segments: tuple[Segment, ...]
    metrics: Measures
    quality: Quality


async def study(
    segments: Sequence[Segment],
    speakers: Sequence[Speaker],
    duration_s: float,
    *,
    models: TextModels,
    settings: Settings,
    record: Record,
) -> Conversation:
    """Measure a conversation.

    Args:
        segments: within [0, duration_s], in order of start; each names one of the speakers.
        speakers: with the roles that are known; where none is, the words are asked.
        duration_s: the call's length.
        models: where one is None its step is left out; whoever knows why notes it in `record`.
        settings: of these, `concurrency`, `sentences`, `sentiment_context` and `non_talk_s`.
        record: every step, its time and how it ended is noted here.
    """
    said = list(segments)
    ends: Mapping[str, tuple[int, ...]] = {}
    if models.punctuator:
        said, ends = await _punctuated(said, models.punctuator, settings, record)
    said = [replace(segment, sentences=_sentences(segment, ends.get(segment.id, ()), settings)) for segment in said]
    if models.sentiment:
        said = await _judged(said, models.sentiment, settings, record)
    said = _tempered(said)
    found = find_roles(said, speakers)
    with record.step("measures"):
        marked = "punctuate" not in record.degraded or any(has_sentence_marks(one.text) for one in said)
        metrics = measure(said, found, duration_s, non_talk_s=settings.non_talk_s, punctuated=marked)
        said = _with_overlaps(said, metrics)
        quality = measure_quality(said, found)
    return Conversation(found, tuple(said), metrics, quality)


def processing(record: Record, models: Mapping[str, Model], duration_s: float) -> Processing:
    """How the result came to be: every step so far, and all the time that passed."""
    wall_s = record.wall_s
    return Processing(
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        version=__version__,
        wall_seconds=wall_s,
        rtf=wall_s / duration_s if duration_s > 0 else None,
        models=models,
        steps=tuple(record.steps),
        degraded=record.degraded,
    )


async def _punctuated(
    segments: Sequence[Segment], punctuator: Punctuator, settings: Settings, record: Record
) -> tuple[list[Segment], Mapping[str, tuple[int, ...]]]:
    """Each segment's text with marks, and where in it the model hears sentences end; all as they were if one fails."""
    with record.step("punctuate", len(segments), optional=True) as done:

        async def punctuate(segment: Segment) -> tuple[Segment, tuple[int, ...]]:
            made = await punctuator.mark(segment.text, segment.language or "")
            done()
            return replace(segment, text=made.text), made.boundaries

        made = await map_concurrently(punctuate, segments, limit=settings.concurrency)
        return [segment for segment, _ in made], {segment.id: ends for segment, ends in made}
    return list(segments), {}


def _sentences(segment: Segment, ends: tuple[int, ...], settings: Settings) -> tuple[Sentence, ...]:
    """Cut at marks and words, with the speaker's pauses and what the punctuation model told as hints."""
    text, language = segment.text, segment.language or ""
    hints = (*pauses(text, segment.words), *ends)
    parts = split_sentences(text, language, pauses=hints, model=settings.sentences)
    return tuple(map(Sentence, parts))


async def _judged(
    segments: Sequence[Segment], model: SentimentModel, settings: Settings, record: Record
) -> list[Segment]:
    """Each sentence's sentiment by the model, all sentences of the call at once; none if the server fails one."""
    before = _said_before(segments) if settings.sentiment_context else {}
    sentences = [
        (sentence, before.get(segment.id, "") if place == 0 else "")
        for segment in segments
        for place, sentence in enumerate(segment.sentences)
    ]
    with record.step("sentiment", len(sentences), optional=True) as done:

        async def classify(asked: tuple[Sentence, str]) -> Sentence:
            sentence, question = asked
            sentiment = await model.classify(sentence.text.strip(), question)
            done()
            return replace(sentence, sentiment=sentiment)

        judged = iter(await map_concurrently(classify, sentences, limit=settings.concurrency))
        return [replace(segment, sentences=tuple(next(judged) for _ in segment.sentences)) for segment in segments]
    return list(segments)


def _said_before(segments: Sequence[Segment]) -> Mapping[str, str]:
    """Segment -> the last sentence of the one before it, where somebody else says that."""
    return {
        segment.id: before.sentences[-1].text.strip()
        for before, segment in pairwise(segments)
        if before.speaker != segment.speaker and before.sentences
    }


def _tempered(segments: Sequence[Segment]) -> list[Segment]:
    """Each sentence's sentiment with the lexicon's share, or by it alone without a model; a segment's is their mean."""
    before = _said_before(segments)
    tempered = []
    for segment in segments:
        sentences = tuple(
            replace(one, sentiment=temper(one.sentiment, one.text, segment.language, question))
            for one, question in zip(segment.sentences, chain([before.get(segment.id, "")], repeat("")), strict=False)
        )
        tempered.append(replace(segment, sentences=sentences, sentiment=mean_sentiment(sentences)))
    return tempered


def _with_overlaps(segments: Sequence[Segment], metrics: Measures) -> list[Segment]:
    interrupting = {name for interruption in metrics.interruptions.instances for name in interruption.segments}
    overlapping = _overlapping(segments)
    return [
        replace(segment, overlap=segment.id in overlapping, interruption=segment.id in interrupting)
        for segment in segments
    ]


def _overlapping(segments: Sequence[Segment]) -> set[str]:
    """The ids of those during which somebody else speaks."""
    ordered = sorted(segments, key=lambda segment: segment.start_s)
    starts_s = [segment.start_s for segment in ordered]
    found: set[str] = set()
    for place, segment in enumerate(ordered):
        for other in ordered[place + 1 : bisect_left(starts_s, segment.end_s)]:
            if other.speaker != segment.speaker and segment.start_s < other.end_s:
                found |= {segment.id, other.id}
    return found
