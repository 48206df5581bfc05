"""`callscope preprocess`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from callscope.commands.options import LOG, SOUND, with_settings
from callscope.commands.output import writing
from callscope.commands.progress import show_progress
from callscope.errors import SettingsInvalid
from callscope.preparation import Prepared, prepare, read_call
from callscope.report.times import floor_ms
from callscope.settings import Loaded, Settings
from callscope.steps import Record
from callscope_preprocessing.audio import Span
from callscope_preprocessing.chunk import Chunk
from callscope_preprocessing.plot import Picture, plot, require_plot
from callscope_preprocessing.resample import resample_track
from callscope_preprocessing.rttm import write_rttm
from callscope_preprocessing.windows import pack

WHISPER_HZ = 16_000

Source = Annotated[Path, typer.Argument(metavar="FILE", readable=False, help="A recording; - is standard input.")]
Drawing = Annotated[
    Path | None,
    typer.Option("--plot", metavar="FILE", help="Draw sound, speech, speakers and windows: .svg, .png or .pdf."),
]
Turns = Annotated[
    Path | None,
    typer.Option("--rttm", metavar="FILE", help="Write who speaks when, in a call of one channel, as RTTM."),
]
Length = Annotated[float, typer.Option("--window-s", min=1.0, help="Length of the recogniser's window, in seconds.")]


@with_settings(*SOUND, *LOG)
def preprocess(
    loaded: Loaded, file: Source, drawing: Drawing = None, turns: Turns = None, window_s: Length = 30.0
) -> None:
    """Find speech, speakers and windows in a recording; no server is asked.

    JSON on stdout: each channel with its speech, what was left out and why, who speaks when, the windows that a
    recogniser would get, and how long each step took.
    """
    if drawing:
        _require_picture(drawing)
    record = Record()
    with show_progress(file.name) as progress:
        record.progress = progress
        with record.step("decode"):
            sound = read_call(file, loaded.settings)
        prepared = prepare(sound, loaded.settings, record)
        with record.step("windows"):
            chunks = _pack(prepared, loaded.settings, window_s)
    result = _Result(file, prepared, chunks, record)
    if drawing:
        with writing(drawing, "--plot"):
            plot(result.pictures(), drawing, title=file.name)
    if turns:
        with writing(turns, "--rttm"):
            write_rttm(
                turns, prepared.diarization.turns if prepared.diarization else (), recording=_recording_name(file)
            )
    typer.echo(json.dumps(result.document(), ensure_ascii=False, indent=2, allow_nan=False))


def _require_picture(file: Path) -> None:
    try:
        require_plot(file)
    except ValueError as error:
        raise SettingsInvalid(f"--plot cannot be met: {error}") from error


def _recording_name(file: Path) -> str:
    """RTTM parts its fields by spaces."""
    return "_".join(file.stem.split()) or "recording"


def _pack(prepared: Prepared, settings: Settings, window_s: float) -> tuple[tuple[Chunk, ...], ...]:
    """The windows of each channel, filled as Whisper's are."""
    return tuple(
        pack(
            resample_track(channel.track, WHISPER_HZ),
            channel.speech.spans,
            channel=channel.number,
            window_s=window_s,
            max_gap_s=settings.max_gap_s,
            fill=settings.fill_windows is not False,
        )
        for channel in prepared.channels
    )


@dataclass(frozen=True, slots=True)
class _Result:
    file: Path
    prepared: Prepared
    chunks: Sequence[Sequence[Chunk]]
    record: Record

    def document(self) -> Mapping[str, Any]:
        sound, found = self.prepared.sound, self.prepared.diarization
        return {
            "source": str(self.file),
            "sha256": sound.sha256,
            "container": sound.container,
            "codec": sound.codec,
            "duration": floor_ms(sound.duration_s),
            "sample_rate": sound.rate_hz,
            "channels": [self._channel(number) for number in range(len(self.prepared.channels))],
            "same_channels": [
                {"number": one.channel, "same_as": one.of, "lag": round(one.lag_s, 6)} for one in self.prepared.repeats
            ],
            "speakers": None
            if found is None
            else {
                "method": found.method,
                "turns": [{**_times(turn.span), "speaker": turn.speaker} for turn in found.turns],
            },
            "steps": [
                {"name": step.name, "status": step.status, "seconds": round(step.seconds, 3), "error": step.error}
                for step in self.record.steps
            ],
        }

    def _channel(self, index: int) -> Mapping[str, Any]:
        channel = self.prepared.channels[index]
        return {
            "number": channel.number,
            "snr_db": None if channel.snr_db is None else round(channel.snr_db, 1),
            "denoised": channel.denoised,
            "speech": [_times(span) for span in channel.speech.spans],
            "dropped": [{**_times(one.span), "reason": one.reason} for one in channel.speech.dropped],
            "windows": [{"stretches": [_times(span) for span in chunk.spans]} for chunk in self.chunks[index]],
        }

    def pictures(self) -> list[Picture]:
        found = self.prepared.diarization
        turns = [(turn.span, turn.speaker) for turn in found.turns] if found else []
        return [
            Picture(channel.track, channel.speech, turns, [chunk.span for chunk in chunks])
            for channel, chunks in zip(self.prepared.channels, self.chunks, strict=True)
        ]


def _times(span: Span) -> Mapping[str, float]:
    return {"start": floor_ms(span.start_s), "end": floor_ms(span.end_s)}
