"""The first flow: a sound file in, a measured conversation out.

decode -> prepare (channels, speech, speakers) -> windows -> transcribe -> seams -> voices -> what follows the words
(`conversation.py`) -> redact
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from callscope.call import Call, Channel, Dropped, Recording
from callscope.conversation import processing, study
from callscope.errors import SettingsInvalid
from callscope.packing import pack_call
from callscope.preparation import Prepared, prepare, read_call
from callscope.redaction.redact import redact
from callscope.seams import sew
from callscope.segments import spoken
from callscope.settings import Settings
from callscope.steps import Progress, Record, silent
from callscope.telemetry.calls import name_call, watched_call
from callscope.triton.language import Heard, transcribe_call
from callscope.triton.models import Models, load_models
from callscope.triton.transcriber import MODEL_WITH_WORDS
from callscope.triton.transport import Transport
from callscope_preprocessing.chunk import Chunk
from callscope_preprocessing.sound import Sound

logger = logging.getLogger(__name__)


async def analyze(
    path: Path,
    transport: Transport,
    settings: Settings,
    *,
    progress: Progress = silent,
    sound: Sound | None = None,
    name: str | None = None,
) -> Call:
    """Turn a recorded call into a measured conversation.

    Args:
        path: a sound file that soundfile or PyAV can read; `-` is standard input.
        transport: a connected server; it is left open.
        settings: see each field.
        progress: called as the work goes on.
        sound: what `read_call` gave for it, if that was called before.
        name: what the result calls it, if not by its path: where it was fetched from.

    Returns:
        The call. One without speech has no segments, and is as valid as any.

    Raises:
        AudioError: the file cannot be read as sound.
        ModelMissing: the server does not serve `transcribe`. Where `punctuate` or `sentiment` is missing or fails, the
            call goes on without it and says so in `processing.degraded`.
        TritonError: the server failed otherwise.
        StepFellBack: a step could not do all it should, and `require` asks for it.
        SettingsInvalid: the language is not one of the model's, or the agent's channel not one of the call's.
    """
    record = Record(progress, required=settings.required_steps())
    with watched_call(record) as watch:
        return watch.done(await _analyzed(path, transport, settings, record, sound=sound, name=name))


async def _analyzed(
    path: Path, transport: Transport, settings: Settings, record: Record, *, sound: Sound | None, name: str | None
) -> Call:
    with record.step("decode"):
        read: Sound = sound if sound else await asyncio.to_thread(read_call, path, settings, name)
    name_call(read.sha256)
    _require_agent(read, settings.agent_channel)
    models = await load_models(transport, record)
    if not models.transcriber.times_words:
        record.skip("words", f"the server does not serve {MODEL_WITH_WORDS}")
    prepared = await asyncio.to_thread(prepare, read, settings, record)
    del sound, read  # the chunks have what they need
    with record.step("windows"):
        chunks = await asyncio.to_thread(pack_call, prepared, models.transcriber, settings)
    file = _File.of(prepared)
    heard = await _transcribed(name or str(path), chunks, models, settings, record)
    speakers, segments = spoken(sew(chunks, heard.transcripts), prepared, settings.agent_channel)
    conversation = await study(
        segments,
        speakers,
        file.duration_s,
        models=models.text,
        settings=settings,
        record=record,
    )
    made = processing(record, models.described(), file.duration_s)
    call = Call(
        recording=_recording(name or str(path), file, heard),
        processing=replace(made, channels=file.channels, dropped=file.dropped),
        speakers=conversation.speakers,
        segments=conversation.segments,
        metrics=conversation.metrics,
        quality=conversation.quality,
    )
    return redact(call) if settings.redact else call


async def _transcribed(name: str, chunks: Sequence[Chunk], models: Models, settings: Settings, record: Record) -> Heard:
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
        logger.info("%s: %d windows in doubt were not asked for again (max_retry_share).", name, heard.left_out)
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


def _recording(name: str, file: _File, heard: Heard) -> Recording:
    has_words = any(transcript.text for transcript in heard.transcripts)
    return Recording(
        id=file.sha256[:16],
        source=name,
        sha256=file.sha256,
        duration_s=file.duration_s,
        sample_rate_hz=file.rate_hz,
        channels=len(file.channels),
        language=heard.language if has_words else None,
        language_probability=heard.language_probability if has_words else None,
    )
