"""The first half of the first flow: a recording becomes speech with speakers.

decode -> channels -> voice activity -> denoise* -> bleed -> diarize
(* where noise calls for it: a copy that voice activity detection and diarization hear)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from pathlib import Path

from callscope.settings import Settings
from callscope.steps import Record
from callscope_preprocessing.bleed import remove_bleed
from callscope_preprocessing.channels import Repeat, repeated_channels
from callscope_preprocessing.denoise import denoise
from callscope_preprocessing.diarize import COMMUNITY, DiarizeSettings, diarize
from callscope_preprocessing.extras import PackageMissing
from callscope_preprocessing.limits import Limits
from callscope_preprocessing.noise import estimate_snr_db, needs_denoising
from callscope_preprocessing.raw import RawFormat
from callscope_preprocessing.sound import Sound, read_sound
from callscope_preprocessing.speakers import ANY_COUNT, Diarization, parse_speakers
from callscope_preprocessing.speech import Speech
from callscope_preprocessing.track import Track
from callscope_preprocessing.vad import DENOISED_MODE, VadSettings, detect_speech


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of a call, and where somebody speaks in it.

    Attributes:
        number: its place in the recording, from 0.
        track: its sound as the recogniser is to hear it, at the recording's rate.
        studied: its sound as voice activity detection and diarization hear it; `track` where nothing was denoised.
        speech: where it holds speech, and what was dropped.
        snr_db: speech above the noise, in dB; None where there is no speech, or nothing else.
        denoised: whether `studied` is a copy without noise.
    """

    number: int
    track: Track
    studied: Track
    speech: Speech
    snr_db: float | None
    denoised: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """A recording, ready to be cut into windows.

    Attributes:
        sound: the recording.
        channels: those that differ from each other.
        repeats: those that do not, and whom they repeat.
        diarization: who speaks when, where one channel holds everybody; None where each channel is a speaker.
    """

    sound: Sound
    channels: tuple[Channel, ...]
    repeats: tuple[Repeat, ...]
    diarization: Diarization | None


def read_call(path: Path, settings: Settings, name: str | None = None) -> Sound:
    """Decode a recording, within the limits that are set; `name` is what to call it, if not by its path.

    Raises:
        AudioError: it cannot be read as sound.
    """
    limits = Limits(settings.max_duration_s, settings.max_bytes, settings.max_channels)
    return read_sound(path, limits=limits, raw=RawFormat.parse(settings.raw) if settings.raw else None, name=name)


def prepare(sound: Sound, settings: Settings, record: Record) -> Prepared:
    """Find who speaks where; each step and its time is noted in `record`.

    Raises:
        AudioError: there is no room for the sound.
        PackageMissing: what is asked for by name is not installed.
        DiarizationError: the engine that is asked for by name cannot run.
    """
    with record.step("channels"):
        repeats = repeated_channels(sound.tracks)
        again = {repeat.channel for repeat in repeats}
        numbers = [number for number in range(len(sound.tracks)) if number not in again]
    with record.step("vad"):
        channels = _side_by_side(lambda number: _heard(number, sound.tracks[number], settings), numbers)
    channels = _denoised(channels, settings, record)
    if len(channels) > 1:
        with record.step("bleed"):
            speech = remove_bleed([one.studied for one in channels], [one.speech for one in channels])
            channels = [replace(one, speech=left) for one, left in zip(channels, speech, strict=True)]
    return Prepared(sound, tuple(channels), repeats, _diarized(channels, settings, record))


def _heard(number: int, track: Track, settings: Settings) -> Channel:
    speech = detect_speech(track, _vad(settings))
    return Channel(number, track, track, speech, estimate_snr_db(track, speech.spans))


def _denoised(channels: Sequence[Channel], settings: Settings, record: Record) -> list[Channel]:
    """Channels whose noise calls for it, or all, with what was found in a copy without noise."""
    wanted = [one for one in channels if _wants_denoising(one, settings)]
    if not wanted:
        return list(channels)
    try:
        with record.step("denoise", len(wanted)) as done:
            made = {one.number: _without_noise(one, settings, done) for one in wanted}
    except Exception as error:  # whatever fails a copy to find speech in must not cost the call
        if settings.denoise == "all":
            raise
        record.fail("denoise", str(error) if isinstance(error, PackageMissing) else f"{type(error).__name__}: {error}")
        return list(channels)
    return [made.get(one.number, one) for one in channels]


def _wants_denoising(channel: Channel, settings: Settings) -> bool:
    return settings.denoise == "all" or (settings.denoise == "detect" and needs_denoising(channel.snr_db))


def _without_noise(channel: Channel, settings: Settings, done: Callable[[], None]) -> Channel:
    clean = denoise(channel.track, workers=os.cpu_count() or 1)
    done()
    return replace(
        channel,
        track=clean if settings.denoise == "all" else channel.track,
        studied=clean,
        speech=detect_speech(clean, replace(_vad(settings), mode=DENOISED_MODE)),
        denoised=True,
    )


def _diarized(channels: Sequence[Channel], settings: Settings, record: Record) -> Diarization | None:
    """Who speaks when in a call of one channel; where nothing but a lesser way is at hand, the step is degraded."""
    if len(channels) != 1 or settings.diarize == "off":
        return None
    (channel,) = channels
    how = DiarizeSettings(
        engine=settings.diarize,
        model=settings.diarization_model or COMMUNITY,
        token=os.environ.get("HF_TOKEN"),
        speakers=parse_speakers(settings.speakers) if settings.speakers else ANY_COUNT,
    )
    with record.step("diarize"):
        found = diarize(channel.studied, channel.speech.spans, how)
    if found.degraded:
        record.degrade("diarize", found.degraded)
    return found


def _vad(settings: Settings) -> VadSettings:
    return VadSettings(detector=settings.vad, mode=settings.vad_mode, min_speech_s=settings.min_speech_s)


def _side_by_side(work: Callable[[int], Channel], numbers: Sequence[int]) -> list[Channel]:
    """Channels do not depend on each other, and the detectors let other threads run."""
    contexts = [copy_context() for _ in numbers]  # so that what is logged there names the call
    with ThreadPoolExecutor(min(len(numbers), os.cpu_count() or 1) or 1) as pool:
        return list(pool.map(lambda context, number: context.run(work, number), contexts, numbers))
