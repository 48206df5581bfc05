"""Diarization error rates on recordings with references, engine by engine, as a table in docs/diarization.md.

A folder holds WAV files and RTTM references: NAME.rttm or NAME.derived.rttm for NAME.wav, or one RTTM for several
recordings by their names. NAME_agent.wav and NAME_caller.wav are mixed to one track, NAME.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate

from callscope_preprocessing.audio import Span
from callscope_preprocessing.diarize import DiarizeSettings, diarize
from callscope_preprocessing.pcm import FULL_SCALE
from callscope_preprocessing.rttm import read_rttm
from callscope_preprocessing.speakers import ANY_COUNT, SpeakerCount, SpeakerTurn
from callscope_preprocessing.track import Track, track_of
from callscope_preprocessing.vad import detect_speech

COLLAR_S = 0.25
SIDES = ("_agent", "_caller")
NOWHERE = Path("/nowhere")
BEGIN, END = "<!-- measured -->", "<!-- end -->"


@dataclass(frozen=True, slots=True)
class Recording:
    """A track and who speaks on it."""

    name: str
    track: Track
    reference: tuple[SpeakerTurn, ...]

    @property
    def speakers(self) -> int:
        """How many speak."""
        return len({turn.speaker for turn in self.reference})


def recordings_in(folder: Path) -> Iterator[Recording]:
    """Every recording under `folder` that has a reference."""
    references: dict[str, tuple[SpeakerTurn, ...]] = {}
    for path in sorted(folder.rglob("*.rttm")):
        read = read_rttm(path)
        references |= read
        if len(read) == 1:
            references[path.name.removesuffix(".rttm").removesuffix(".derived")] = next(iter(read.values()))
    for path in sorted(folder.rglob("*.wav")):
        call = path.stem.removesuffix(SIDES[0])
        if path.stem in references:
            yield Recording(path.stem, _mixed(path), references[path.stem])
        elif call in references and call != path.stem:
            yield Recording(f"{call} (mixed)", _mixed(path, path.with_stem(call + SIDES[1])), references[call])


def _mixed(*paths: Path) -> Track:
    sounds = [soundfile.read(path, dtype="float32", always_2d=True) for path in paths]
    channels = [channel for sound, _ in sounds for channel in sound.T]
    shortest = min(map(len, channels))
    mix = np.sum([channel[:shortest] for channel in channels], axis=0) / len(sounds[0][0].T)
    pcm = np.clip(np.rint(mix * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return track_of(pcm, sounds[0][1])


def speech_in(track: Track) -> tuple[Span, ...]:
    """Where there is speech."""
    return detect_speech(track).spans


def error_rate(recording: Recording, turns: tuple[SpeakerTurn, ...]) -> float:
    """The diarization error rate, overlaps scored, 0.25 s around each edge of the reference left out."""
    metric = DiarizationErrorRate(collar=COLLAR_S)
    whole = Timeline([Segment(0.0, recording.track.duration_s)])
    return float(metric(_annotation(recording.reference), _annotation(turns), uem=whole))


def _annotation(turns: tuple[SpeakerTurn, ...]) -> Annotation:
    annotation = Annotation()
    for number, turn in enumerate(turns):
        annotation[Segment(turn.span.start_s, turn.span.end_s), number] = turn.speaker
    return annotation


def rows(folder: Path, model: str | None) -> Iterator[str]:
    """Lines of the table."""
    engines = {"voices": DiarizeSettings(engine="light"), "spectra": DiarizeSettings(engine="light", networks=NOWHERE)}
    if model:
        engines = {"pyannote": DiarizeSettings(engine="pyannote", model=model), **engines}
    yield "| recording | seconds | speakers | engine | DER, number given | DER, number found | found | × real time |\n"
    yield "|---|---:|---:|---|---:|---:|---:|---:|\n"
    for recording in recordings_in(folder):
        speech = speech_in(recording.track)
        for engine, settings in engines.items():
            yield _row(recording, speech, engine, settings)


def _row(recording: Recording, speech: tuple[Span, ...], engine: str, settings: DiarizeSettings) -> str:
    rates, found, started = [], 0, time.perf_counter()
    for count in (SpeakerCount(recording.speakers, recording.speakers), ANY_COUNT):
        result = diarize(recording.track, speech, _counted(settings, count))
        rates.append(f"{100 * error_rate(recording, result.turns):.1f} %")
        found = len(result.speakers)
    faster = 2 * recording.track.duration_s / (time.perf_counter() - started)
    return (
        f"| {recording.name} | {recording.track.duration_s:.0f} | {recording.speakers} | {engine} "
        f"| {rates[0]} | {rates[1]} | {found} | {faster:.0f} |\n"
    )


def _counted(settings: DiarizeSettings, count: SpeakerCount) -> DiarizeSettings:
    return DiarizeSettings(settings.engine, settings.model, settings.token, count, settings.networks)


def main() -> None:
    """Print the table, and put it into the page if one is named."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--model", help="pyannote's pipeline, a folder or a hub id; left out without it")
    arguments.add_argument("--page", type=Path, help="a page with a place for the table")
    given = arguments.parse_args()
    table = ""
    for row in rows(given.folder, given.model):
        print(row, end="", flush=True)
        table += row
    if given.page:
        before, _, rest = given.page.read_text().partition(BEGIN)
        given.page.write_text(f"{before}{BEGIN}\n{table}{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
