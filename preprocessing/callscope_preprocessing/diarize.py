"""Who spoke, on one mono track: pyannote.audio where it is at hand, something lighter where it is not."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from callscope_preprocessing.audio import Span
from callscope_preprocessing.diarization_errors import DiarizationError, VoicesUnavailable
from callscope_preprocessing.light import diarize_by_voices
from callscope_preprocessing.pyannote import RATE_HZ, Windows, diarize_by_pyannote
from callscope_preprocessing.pyannote_pipeline import load_pipeline
from callscope_preprocessing.resample import resample_track
from callscope_preprocessing.speakers import (
    ANY_COUNT,
    Diarization,
    SpeakerCount,
    SpeakerTurn,
    name_of,
    parse_speakers,
)
from callscope_preprocessing.spectra import diarize_by_spectra
from callscope_preprocessing.track import Track
from callscope_preprocessing.voices.networks import find_networks, load_networks

__all__ = ["Diarization", "DiarizeSettings", "SpeakerCount", "SpeakerTurn", "diarize", "parse_speakers"]

COMMUNITY = "pyannote/speaker-diarization-community-1"
NOTHING_SAID = "Nothing was heard in the speech found that tells speakers apart, so all of it is given to one."
GUESSED = "The number of speakers is assumed, and voices that are alike are confused."


@dataclass(frozen=True, slots=True)
class DiarizeSettings:
    """How speakers are told apart.

    Attributes:
        engine: "pyannote", "light", or "auto": the first where it can run.
        model: pyannote's pipeline, a hub id or a folder.
        token: the hub's, for a gated model.
        speakers: how many there can be; `parse_speakers` reads it from text.
        networks: a folder with the light engine's two checkpoints; those of the installed package without it.
        windows: how a long call is cut for pyannote.
        threads: processors for the light engine.

    Raises:
        ValueError: no such engine.
    """

    engine: Literal["auto", "pyannote", "light"] = "auto"
    model: str = COMMUNITY
    token: str | None = field(default=None, repr=False)
    speakers: SpeakerCount = ANY_COUNT
    networks: Path | None = None
    windows: Windows = field(default_factory=Windows)
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)

    def __post_init__(self) -> None:
        if self.engine not in ("auto", "pyannote", "light"):
            raise ValueError(f"There is no engine {self.engine!r}. Choose auto, pyannote or light.")


def diarize(track: Track, speech: Sequence[Span], settings: DiarizeSettings | None = None) -> Diarization:
    """Tell the speakers of one track apart.

    Args:
        track: one channel, any rate, any length: memory does not grow with it beyond a little a second.
        speech: where there is speech, in order and apart; turns lie within it.
        settings: how.

    Returns:
        Turns of SPEAKER_00, SPEAKER_01 and so on, in the order in which they first speak; none without speech.

    Raises:
        DiarizationError: the engine asked for by name cannot run; with "auto", a lesser one does, and
            `Diarization.degraded` says why.
    """
    settings = settings or DiarizeSettings()
    if not speech:
        return Diarization((), (), "none")
    sound = resample_track(track, RATE_HZ)
    if settings.engine == "light":
        return _named(_light(sound, speech, settings))
    try:
        pipeline = load_pipeline(settings.model, settings.token)
        found = diarize_by_pyannote(sound, speech, settings.speakers, pipeline, settings.windows)
    except DiarizationError as error:
        if settings.engine == "pyannote":
            raise
        lesser = _light(sound, speech, settings)
        return _named(replace(lesser, degraded=" ".join(filter(None, (str(error), lesser.degraded)))))
    return _named(found if found.turns else _one(speech, "pyannote"))


def _light(sound: Track, speech: Sequence[Span], settings: DiarizeSettings) -> Diarization:
    """The best that can be done without pyannote.audio, and why it is less."""
    try:
        networks = load_networks(find_networks(settings.networks), settings.threads)
    except VoicesUnavailable as error:
        reason = f"Speakers were told apart by their spectra alone, since {error}. {GUESSED}"
        found = diarize_by_spectra(sound, speech, settings.speakers)
        return replace(found, degraded=reason) if found else _one(speech, "spectra")
    return replace(
        diarize_by_voices(sound, speech, settings.speakers, networks) or _one(speech, "voices"),
        degraded="Speakers were told apart by two small networks, which confuse more than pyannote's pipeline does.",
    )


def _one(speech: Sequence[Span], method: str) -> Diarization:
    turns = tuple(SpeakerTurn(span, name_of(0)) for span in speech)
    return Diarization(turns, turns, method, NOTHING_SAID)


def _named(found: Diarization) -> Diarization:
    """Speakers by the order of their first turns."""
    names = {speaker: name_of(number) for number, speaker in enumerate(found.speakers)}
    for turn in found.exclusive:
        names.setdefault(turn.speaker, name_of(len(names)))

    def renamed(turns: Sequence[SpeakerTurn]) -> tuple[SpeakerTurn, ...]:
        return tuple(SpeakerTurn(turn.span, names[turn.speaker]) for turn in turns)

    return replace(found, turns=renamed(found.turns), exclusive=renamed(found.exclusive))
