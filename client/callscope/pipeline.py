"""The first flow: a sound file in, a measured conversation out.

decode -> prepare (channels, speech, speakers) -> windows -> transcribe -> seams -> voices -> punctuate -> sentences ->
sentiment -> roles -> measures
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from callscope import __version__
from callscope.analysis.interruptions import find_interruptions
from callscope.analysis.roles import find_roles
from callscope.analysis.talk import measure
from callscope.analysis.tempering import mean_sentiment
from callscope.call import Call, Channel, Dropped, Processing, Recording, Segment, Sentence
from callscope.errors import SettingsInvalid
from callscope.preparation import Prepared, prepare, read_call
from callscope.seams import sew
from callscope.segments import spoken
from callscope.settings import Settings
from callscope.steps import Progress, Record, silent
from callscope.text.sentences import split_sentences
from callscope.triton.concurrency import map_concurrently
from callscope.triton.language import Heard, transcribe_call
from callscope.triton.models import Models, load_models
from callscope.triton.punctuator import Punctuator, has_sentence_marks
from callscope.triton.sentiment import SentimentModel
from callscope.triton.transcriber import MODEL_WITH_WORDS, Transcriber
from callscope.triton.transport import Transport
from callscope_preprocessing.chunk import Chunk
from callscope_preprocessing.resample import resample_track
from callscope_preprocessing.sound import Sound
from callscope_preprocessing.windows import pack

logger = logging.getLogger(__name__)

OVERLAP_S = 1.0
"""How far both sides of a cut hear beyond it: a long word."""
FILLED_FROM_S = 20.0
"""Windows from this length on take several stretches of speech, unless the settings say otherwise."""


async def analyze(
    path: Path, transport: Transport, settings: Settings, *, progress: Progress = silent, sound: Sound | None = None
) -> Call:
    """Turn a recorded call into a measured conversation.

    Args:
        path: a sound file that soundfile or PyAV can read; `-` is standard input.
        transport: a connected server; it is left open.
        settings: see each field.
        progress: called as the work goes on.
        sound: what `read_call` gave for it, if that was called before.

    Returns:
        The call. One without speech has no segments, and is as valid as any.

    Raises:
        AudioError: the file cannot be read as sound.
        ModelMissing: the server does not serve `transcribe`. Where `punctuate` or `sentiment` is missing or fails, the
            call goes on without it and says so in `processing.degraded`.
        TritonError: the server failed otherwise.
        SettingsInvalid: the language is not one of the model's, or the agent's channel not one of the call's.
    """
    record = Record(progress)
    with record.step("decode"):
        read: Sound = sound if sound else await asyncio.to_thread(read_call, path, settings)
    _require_agent(read, settings.agent_channel)
    models = await load_models(transport, record)
    if not models.transcriber.times_words:
        record.skip("words", f"the server does not serve {MODEL_WITH_WORDS}")
    prepared = await asyncio.to_thread(prepare, read, settings, record)
    del sound, read  # the chunks have what they need
    with record.step("windows"):
        chunks = await asyncio.to_thread(_pack, prepared, models.transcriber, settings)
    file = _File.of(prepared)
    heard = await _transcribed(path, chunks, models, settings, record)
    speakers, segments = spoken(sew(chunks, heard.transcripts), prepared, settings.agent_channel)
    if models.punctuator:
        segments = await _punctuated(segments, models.punctuator, settings, record)
    segments = [replace(segment, sentences=_sentences(segment)) for segment in segments]
    if models.sentiment:
        segments = await _with_sentiment(segments, models.sentiment, settings, record)
    speakers = find_roles(segments, speakers)
    with record.step("measures"):
        segments = _with_overlaps(segments)
        metrics = measure(
            segments,
            speakers,
            file.duration_s,
            non_talk_s=settings.non_talk_s,
            punctuated="punctuate" not in record.degraded or any(has_sentence_marks(s.text) for s in segments),
        )
    return Call(
        recording=_recording(path, file, heard),
        processing=_processing(record, models, file),
        speakers=speakers,
        segments=tuple(segments),
        metrics=metrics,
    )


async def _transcribed(
    path: Path, chunks: Sequence[Chunk], models: Models, settings: Settings, record: Record
) -> Heard:
    with record.step("transcribe", len(chunks)) as done:
        heard = await transcribe_call(
            models.transcriber,
            chunks,
            settings.language,
            limit=settings.concurrency,
            max_retry_share=settings.max_retry_share,
            heard_one=done,
        )
    if heard.left_out:
        logger.info("%s: %d windows in doubt were not asked for again (max_retry_share).", path, heard.left_out)
    return heard


@dataclass(frozen=True, slots=True)
class _File:
    """What is to be remembered of a recording when its sound is gone."""

    duration_s: float
    rate_hz: int
    sha256: str
    channels: tuple[Channel, ...]
    dropped: tuple[Dropped, ...]

    @classmethod
    def of(cls, prepared: Prepared) -> _File:
        sound = prepared.sound
        dropped = [
            Dropped(channel.number, one.span.start_s, one.span.end_s, one.reason)
            for channel in prepared.channels
            for one in channel.speech.dropped
        ]
        return cls(
            sound.duration_s,
            sound.rate_hz,
            sound.sha256,
            tuple(sorted(_described(prepared), key=lambda channel: channel.number)),
            tuple(sorted(dropped, key=lambda one: (one.start_s, one.channel))),
        )


def _described(prepared: Prepared) -> Iterator[Channel]:
    for one in prepared.channels:
        yield Channel(one.number, None, one.speech.duration_s, one.snr_db, one.denoised)
    for repeat in prepared.repeats:
        yield Channel(repeat.channel, repeat.of)


def _require_agent(sound: Sound, agent_channel: int | None) -> None:
    """The agent's channel is one of the call's, unless there is only one, which both are on."""
    channels = len(sound.tracks)
    if agent_channel is not None and channels > 1 and agent_channel not in range(channels):
        raise SettingsInvalid(
            f"The agent cannot be on channel {agent_channel}: the call has channels 0 to {channels - 1}. "
            "Correct --agent-channel, or leave it out."
        )


def _pack(prepared: Prepared, transcriber: Transcriber, settings: Settings) -> tuple[Chunk, ...]:
    """Each channel's speech in windows of the model's length, in order of start."""
    chunks = [
        chunk
        for channel in prepared.channels
        for chunk in pack(
            resample_track(channel.track, transcriber.model.sample_rate_hz),
            channel.speech.spans,
            channel=channel.number,
            window_s=transcriber.model.window_s,
            max_gap_s=settings.max_gap_s,
            overlap_s=OVERLAP_S if transcriber.times_words else 0.0,
            fill=_fills(transcriber, settings.fill_windows),
        )
    ]
    return tuple(sorted(chunks, key=lambda chunk: (chunk.span.start_s, chunk.channel)))


def _fills(transcriber: Transcriber, wanted: bool | None) -> bool:
    """Whether a window takes several stretches: only word times tell whose a word is."""
    fill = transcriber.model.window_s >= FILLED_FROM_S if wanted is None else wanted
    return fill and transcriber.times_words


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


def _with_overlaps(segments: Sequence[Segment]) -> list[Segment]:
    interrupting = {name for interruption in find_interruptions(segments) for name in interruption.segments}
    return [
        replace(
            segment,
            overlap=any(_overlap(segment, other) for other in segments),
            interruption=segment.id in interrupting,
        )
        for segment in segments
    ]


def _overlap(segment: Segment, other: Segment) -> bool:
    together = segment.start_s < other.end_s and other.start_s < segment.end_s
    return together and segment.speaker != other.speaker


def _recording(path: Path, file: _File, heard: Heard) -> Recording:
    has_words = any(transcript.text for transcript in heard.transcripts)
    return Recording(
        id=file.sha256[:16],
        source=str(path),
        sha256=file.sha256,
        duration_s=file.duration_s,
        sample_rate_hz=file.rate_hz,
        channels=len(file.channels),
        language=heard.language if has_words else None,
        language_probability=heard.language_probability if has_words else None,
    )


def _processing(record: Record, models: Models, file: _File) -> Processing:
    wall_s, duration_s = record.wall_s, file.duration_s
    return Processing(
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        version=__version__,
        wall_seconds=wall_s,
        rtf=wall_s / duration_s if duration_s > 0 else None,
        models=models.described(),
        steps=tuple(record.steps),
        degraded=record.degraded,
        channels=file.channels,
        dropped=file.dropped,
    )
