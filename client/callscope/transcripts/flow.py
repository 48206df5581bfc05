"""The first flow without its sound: a transcript in, a measured conversation out.

read -> speakers -> segments -> what follows the words (`conversation.py`) -> redact
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from callscope.call import Call, Recording, Segment
from callscope.conversation import processing, study
from callscope.errors import SettingsInvalid
from callscope.redaction.redact import redact
from callscope.settings import Settings
from callscope.steps import Progress, Record, silent
from callscope.telemetry.calls import name_call, watched_call
from callscope.transcripts.document import Document
from callscope.transcripts.files import read_transcripts
from callscope.transcripts.language import language_of_texts
from callscope.transcripts.rows import language_of
from callscope.transcripts.speakers import find_voices
from callscope.transcripts.spoken import duration_s, segments_of
from callscope.transcripts.transcript import Transcript
from callscope.triton.punctuator import has_sentence_marks
from callscope.triton.text_models import TextModels, load_text_models
from callscope.triton.transport import Transport

MS = 1000
PUNCTUATED_SHARE = 0.1
"""A transcript in which so many segments have a sentence mark was punctuated by whoever wrote it."""
FORM, CALL_NUMBER = "transcript", "line"
"""What `metadata` says of the transcript: its form, and of several in a file which it was."""


async def analyze_transcripts(
    path: Path,
    transport: Transport | None,
    settings: Settings,
    *,
    agent: str | None = None,
    encoding: str = "",
    progress: Progress = silent,
) -> tuple[Call, ...]:
    """Turn a transcript into a measured conversation.

    Args:
        path: a file with one of the endings of `files.READERS`.
        transport: a connected server, left open; None works without any, and says so in `processing.degraded`.
        settings: of these, `language`, `agent_channel`, `redact` and those of `study`.
        agent: what the transcript calls the agent; None: what it says itself, else what the words tell.
        encoding: how a file is written that is not UTF-8 and does not say; empty: UTF-8.
        progress: called as the work goes on.

    Returns:
        Each call of the file: one, but for results in JSON Lines.

    Raises:
        TranscriptInvalid: the file cannot be read, or lacks times or words.
        SettingsInvalid: nobody in it is called `agent`, or is on the agent's channel; or the language is none.
        TritonError: the server does not keep its contract. Models that it lacks are done without.
    """
    began = Record(progress, required=settings.required_steps())
    with began.step("read"):
        document, transcripts = read_transcripts(path, encoding)
    read_s = began.wall_s
    calls = []
    for number, transcript in enumerate(transcripts, start=1):
        record = Record(progress, list(began.steps), perf_counter() - read_s, began.required)
        with watched_call(record) as watch:
            name_call(document.sha256)
            call = watch.done(await _analyze(document, transcript, transport, settings, agent=agent, record=record))
        calls.append(call if len(transcripts) == 1 else _numbered(call, number))
    return tuple(calls)


async def _analyze(
    document: Document,
    transcript: Transcript,
    transport: Transport | None,
    settings: Settings,
    *,
    agent: str | None,
    record: Record,
) -> Call:
    voices = find_voices(transcript, agent=agent, agent_channel=settings.agent_channel)
    language = _given(settings) or transcript.language or language_of_texts(cue.text for cue in transcript.cues)
    segments = segments_of(transcript, voices, language)
    if transcript.spread:
        record.degrade(
            "read", "the text was spread over the stretches by their lengths: who said which words is not told"
        )
    models = await _models(transport, segments, record)
    length_s = duration_s(transcript)
    conversation = await study(segments, voices.speakers, length_s, models=models, settings=settings, record=record)
    call = Call(
        recording=_recording(document, transcript, segments, length_s),
        processing=processing(record, models.described(), length_s),
        speakers=conversation.speakers,
        segments=conversation.segments,
        metrics=conversation.metrics,
        quality=conversation.quality,
    )
    return redact(call) if settings.redact else call


def _given(settings: Settings) -> str | None:
    """The code of the language that the user names."""
    if settings.language is None:
        return None
    language = language_of(settings.language)
    if not language:
        raise SettingsInvalid(f"{settings.language!r} is no language's code. Correct --language: en, ja, ko.")
    return language


async def _models(transport: Transport | None, segments: Sequence[Segment], record: Record) -> TextModels:
    """The models to ask: none without a server, and none for marks where the transcript has its own."""
    needs_marks = not is_punctuated([segment.text for segment in segments])
    if transport is None:
        for step in (["punctuate"] if needs_marks else []) + ["sentiment"]:
            record.skip(step, "no server was asked")
        return TextModels()
    models = await load_text_models(transport, record)
    return models if needs_marks else replace(models, punctuator=None)


def is_punctuated(texts: Sequence[str]) -> bool:
    """Whether whoever wrote the texts ended sentences with marks; captions cut sentences, so that not each has one."""
    marked = sum(map(has_sentence_marks, texts))
    return marked >= PUNCTUATED_SHARE * len(texts)


def _recording(document: Document, transcript: Transcript, segments: Sequence[Segment], length_s: float) -> Recording:
    return Recording(
        id=document.sha256[:16],
        source=str(document.path),
        sha256=document.sha256,
        duration_s=length_s,
        sample_rate_hz=transcript.sample_rate_hz,
        channels=max((segment.channel for segment in segments), default=0) + 1,
        language=_language(segments),
        metadata={**transcript.metadata, FORM: transcript.form},
    )


def _language(segments: Sequence[Segment]) -> str | None:
    """The language of most of the speech."""
    spoken: Counter[str] = Counter()
    for segment in segments:
        if segment.language and segment.text:
            spoken[segment.language] += round((segment.end_s - segment.start_s) * MS)
    return spoken.most_common(1)[0][0] if spoken else None


def _numbered(call: Call, number: int) -> Call:
    """Calls of one file have ids of their own."""
    recording = call.recording
    metadata: Mapping[str, str] = {**recording.metadata, CALL_NUMBER: str(number)}
    return replace(call, recording=replace(recording, id=f"{recording.id}-{number}", metadata=metadata))
