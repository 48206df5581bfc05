"""A prepared recording in the windows that the recogniser takes."""

from __future__ import annotations

from callscope.preparation import Prepared
from callscope.settings import Settings
from callscope.triton.transcriber import Transcriber
from callscope_preprocessing.chunk import Chunk
from callscope_preprocessing.resample import resample_track
from callscope_preprocessing.windows import pack

OVERLAP_S = 1.0
"""How far both sides of a cut hear beyond it: a long word."""
FILLED_FROM_S = 20.0
"""Windows from this length on take several stretches of speech, unless the settings say otherwise."""


def pack_call(prepared: Prepared, transcriber: Transcriber, settings: Settings) -> tuple[Chunk, ...]:
    """Each channel's speech in windows of the model's length, in order of start.

    Args:
        prepared: the recording, and where somebody speaks in it.
        transcriber: whose windows they are.
        settings: of these, `max_gap_s` and `fill_windows`.
    """
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
