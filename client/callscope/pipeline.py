"""The first flow: a sound file in, a measured conversation out.

decode -> channels -> speech -> chunks -> transcribe -> seams -> punctuate -> sentences -> sentiment -> speakers ->
measures
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from callscope import __version__
from callscope.analysis.interruptions import find_interruptions
from callscope.analysis.roles import find_roles
from callscope.analysis.talk import measure
from callscope.call import Call, Processing, Recording, Segment, Sentence, Speaker, Word
from callscope.errors import SettingsInvalid
from callscope.said import Said
from callscope.seams import sew
from callscope.settings import Settings
from callscope.steps import Progress, Record, silent
from callscope.text.sentences import split_sentences
from callscope.triton.concurrency import map_concurrently
from callscope.triton.language import Heard, transcribe_call
from callscope.triton.models import Models, load_models
from callscope.triton.punctuator import Punctuator, has_sentence_marks
from callscope.triton.sentiment import SentimentModel, mean_sentiment
from callscope.triton.transcriber import MODEL_WITH_WORDS, Transcriber
from callscope.triton.transport import Transport
from callscope_preprocessing.audio import Audio
from callscope_preprocessing.channels import split_channels
from callscope_preprocessing.chunk import Chunk
from callscope_preprocessing.decode import in_memory
from callscope_preprocessing.limits import Limits
from callscope_preprocessing.raw import RawFormat
from callscope_preprocessing.resample import resample
from callscope_preprocessing.sound import Sound, read_sound
from callscope_preprocessing.track import tracks_of
from callscope_preprocessing.vad import VadSettings, detect_speech
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
        file, channels = await asyncio.to_thread(_read, path, settings, sound)
    del sound
    speakers = _speakers(len(channels), settings.agent_channel)
    models = await load_models(transport, record)
    if not models.transcriber.times_words:
        record.skip("words", f"the server does not serve {MODEL_WITH_WORDS}")
    with record.step("vad"):
        chunks = await asyncio.to_thread(_find_chunks, channels, models.transcriber, settings)
    del channels  # an hour of sound is not held while it is transcribed; the chunks have what they need
    heard = await _transcribed(path, chunks, models, settings, record)
    segments = _segments(sew(chunks, heard.transcripts), speakers, file.duration_s)
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
        processing=_processing(record, models, file.duration_s),
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
    channels: int
    sha256: str


def read_call(path: Path, settings: Settings) -> Sound:
    """Decode a recording, within the limits that are set.

    Raises:
        AudioError: it cannot be read as sound.
    """
    limits = Limits(settings.max_duration_s, settings.max_bytes, settings.max_channels)
    return read_sound(path, limits=limits, raw=RawFormat.parse(settings.raw) if settings.raw else None)


def _read(path: Path, settings: Settings, sound: Sound | None) -> tuple[_File, tuple[Audio, ...]]:
    """The file, and one `Audio` for each channel that differs from the others."""
    sound = sound or read_call(path, settings)
    file = _File(sound.duration_s, sound.rate_hz, len(sound.tracks), sound.sha256)
    return file, split_channels(in_memory(sound))


def _speakers(channels: int, agent_channel: int | None) -> tuple[Speaker, ...]:
    """One speaker a channel; the agent's channel tells who is who, unless there is only one."""
    known = agent_channel is not None and channels > 1
    if known and agent_channel not in range(channels):
        raise SettingsInvalid(
            f"The agent cannot be on channel {agent_channel}: the call has channels 0 to {channels - 1}. "
            "Correct --agent-channel, or leave it out."
        )
    return tuple(
        Speaker(
            id=f"speaker-{channel + 1}",
            role=("agent" if channel == agent_channel else "customer") if known else "unknown",
            role_source="channel" if known else None,
            role_confidence=1.0 if known else None,
            channel=channel,
        )
        for channel in range(channels)
    )


def _find_chunks(channels: Sequence[Audio], transcriber: Transcriber, settings: Settings) -> tuple[Chunk, ...]:
    """Each channel's speech in windows of the model's length, in order of start."""
    chunks = [chunk for index, audio in enumerate(channels) for chunk in _pack(audio, index, transcriber, settings)]
    return tuple(sorted(chunks, key=lambda chunk: (chunk.span.start_s, chunk.channel)))


def _pack(audio: Audio, channel: int, transcriber: Transcriber, settings: Settings) -> tuple[Chunk, ...]:
    speech = detect_speech(tracks_of(audio)[0], VadSettings(mode=settings.vad_mode)).spans
    (track,) = tracks_of(resample(audio, transcriber.model.sample_rate_hz))
    return pack(
        track,
        speech,
        channel=channel,
        window_s=transcriber.model.window_s,
        max_gap_s=settings.max_gap_s,
        overlap_s=OVERLAP_S if transcriber.times_words else 0.0,
        fill=_fills(transcriber, settings.fill_windows),
    )


def _fills(transcriber: Transcriber, wanted: bool | None) -> bool:
    """Whether a window takes several stretches: only word times tell whose a word is."""
    fill = transcriber.model.window_s >= FILLED_FROM_S if wanted is None else wanted
    return fill and transcriber.times_words


def _segments(said: Sequence[Said], speakers: Sequence[Speaker], duration_s: float) -> list[Segment]:
    """A segment for each stretch in which words were heard."""
    with_words = [one for one in said if one.transcript.text]
    return [
        _segment(f"seg-{number:04}", one, speakers[one.channel].id, duration_s)
        for number, one in enumerate(with_words, start=1)
    ]


def _segment(name: str, said: Said, speaker: str, duration_s: float) -> Segment:
    transcript = said.transcript
    return Segment(
        id=name,
        start_s=said.span.start_s,
        end_s=min(said.span.end_s, duration_s),
        speaker=speaker,
        channel=said.channel,
        text=transcript.text,
        raw_text=transcript.text,
        language=transcript.language,
        confidence=min(1.0, math.exp(transcript.avg_logprob)),
        avg_logprob=transcript.avg_logprob,
        no_speech_probability=transcript.no_speech_probability,
        compression_ratio=transcript.compression_ratio,
        doubts=transcript.doubts,
        words=tuple(Word(word.word, word.start_s, word.end_s, word.confidence, speaker) for word in transcript.words),
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
        channels=file.channels,
        language=heard.language if has_words else None,
        language_probability=heard.language_probability if has_words else None,
    )


def _processing(record: Record, models: Models, duration_s: float) -> Processing:
    wall_s = record.wall_s
    return Processing(
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        version=__version__,
        wall_seconds=wall_s,
        rtf=wall_s / duration_s if duration_s > 0 else None,
        models=models.described(),
        steps=tuple(record.steps),
        degraded=record.degraded,
    )
