"""What follows the words, of a recording or of a transcript: who said what becomes a measured conversation.

punctuate -> sentences -> sentiment -> roles -> overlaps -> measures
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from callscope import __version__
from callscope.analysis.measures import Measures
from callscope.analysis.roles import find_roles
from callscope.analysis.talk import measure
from callscope.call import Model, Processing, Segment, Sentence, Speaker
from callscope.settings import Settings
from callscope.steps import Record
from callscope.text.sentences import split_sentences
from callscope.triton.concurrency import map_concurrently
from callscope.triton.punctuator import Punctuator, has_sentence_marks
from callscope.triton.sentiment import SentimentModel, mean_sentiment
from callscope.triton.text_models import TextModels


@dataclass(frozen=True, slots=True)
class Conversation:
    """Who spoke, what they said, in order of start, and what it amounts to."""

    speakers: tuple[Speaker, ...]
    segments: tuple[Segment, ...]
    metrics: Measures


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
        settings: of these, `concurrency` and `non_talk_s`.
        record: every step, its time and how it ended is noted here.
    """
    said = list(segments)
    if models.punctuator:
        said = await _punctuated(said, models.punctuator, settings, record)
    said = [replace(segment, sentences=_sentences(segment)) for segment in said]
    if models.sentiment:
        said = await _with_sentiment(said, models.sentiment, settings, record)
    found = find_roles(said, speakers)
    with record.step("measures"):
        marked = "punctuate" not in record.degraded or any(has_sentence_marks(one.text) for one in said)
        metrics = measure(said, found, duration_s, non_talk_s=settings.non_talk_s, punctuated=marked)
        said = _with_overlaps(said, metrics)
    return Conversation(found, tuple(said), metrics)


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
) -> list[Segment]:
    """Each segment's text with marks; all as they were if the server fails one."""
    with record.step("punctuate", len(segments), optional=True) as done:

        async def punctuate(segment: Segment) -> Segment:
            text = await punctuator.punctuate(segment.text, segment.language or "")
            done()
            return replace(segment, text=text)

        return list(await map_concurrently(punctuate, segments, limit=settings.concurrency))
    return list(segments)


def _sentences(segment: Segment) -> tuple[Sentence, ...]:
    return tuple(Sentence(text) for text in split_sentences(segment.text, segment.language or ""))


async def _with_sentiment(
    segments: Sequence[Segment], model: SentimentModel, settings: Settings, record: Record
) -> list[Segment]:
    """Each sentence's sentiment, all sentences of the call at once, and their mean for each segment.

    None has one if the server fails one.
    """
    sentences = [sentence for segment in segments for sentence in segment.sentences]
    with record.step("sentiment", len(sentences), optional=True) as done:

        async def classify(sentence: Sentence) -> Sentence:
            sentiment = await model.classify(sentence.text.strip())
            done()
            return replace(sentence, sentiment=sentiment)

        scored = iter(await map_concurrently(classify, sentences, limit=settings.concurrency))
        own = [tuple(next(scored) for _ in segment.sentences) for segment in segments]
        return [
            replace(segment, sentences=sentences, sentiment=mean_sentiment(sentences))
            for segment, sentences in zip(segments, own, strict=True)
        ]
    return list(segments)


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
