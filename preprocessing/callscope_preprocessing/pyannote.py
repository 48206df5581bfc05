"""Speakers told apart by pyannote.audio 4, window by window: a long call takes no more memory than a short one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from callscope_preprocessing.audio import Span
from callscope_preprocessing.diarization_errors import EngineFailed
from callscope_preprocessing.joining import WindowTurns, join_windows, windows_of, within
from callscope_preprocessing.pcm import FULL_SCALE
from callscope_preprocessing.speakers import Diarization, SpeakerCount, SpeakerTurn
from callscope_preprocessing.track import Track

RATE_HZ = 16_000
REASON_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Windows:
    """How a call is cut for the pipeline.

    Attributes:
        window_s: the longest stretch that it hears at once: memory grows with it.
        overlap_s: how much of a window the next one hears again, to know its speakers by.
        batch: windows of the networks at once, of either of them.
    """

    window_s: float = 1500.0
    overlap_s: float = 60.0
    batch: int = 16


def diarize_by_pyannote(
    track: Track,
    speech: Sequence[Span],
    count: SpeakerCount,
    pipeline: Any,  # noqa: ANN401  # pyannote ships no types
    windows: Windows,
) -> Diarization:
    """Who speaks when, within `speech`.

    Args:
        track: sound at 16 kHz.
        speech: where there is speech, in order.
        count: how many speakers there can be.
        pipeline: from `load_pipeline`.
        windows: how the call is cut.

    Raises:
        EngineFailed: the pipeline fails on it.
    """
    spans = windows_of(track.duration_s, windows.window_s, windows.overlap_s)
    pipeline.segmentation_batch_size = pipeline.embedding_batch_size = windows.batch
    bounds = _bounds(count, whole=len(spans) == 1)
    parts = [_hear(track, span, bounds, pipeline) for span in spans if within_any(span, speech)]
    turns, exclusive = join_windows(parts, count.most)
    return Diarization(within(turns, speech), within(exclusive, speech), "pyannote")


def within_any(span: Span, speech: Sequence[Span]) -> bool:
    """Whether some of `speech` lies in `span`."""
    return any(each.start_s < span.end_s and span.start_s < each.end_s for each in speech)


def _bounds(count: SpeakerCount, *, whole: bool) -> dict[str, int]:
    """What the pipeline is told of the number of speakers: of a part of a call, no more than the most."""
    if count == SpeakerCount():
        return {}
    if not whole:
        return {"max_speakers": count.most}
    return {"num_speakers": count.most} if count.known else {"min_speakers": count.least, "max_speakers": count.most}


def _hear(track: Track, span: Span, bounds: dict[str, int], pipeline: Any) -> WindowTurns:  # noqa: ANN401
    import torch  # noqa: PLC0415  # an extra

    first, end = round(span.start_s * RATE_HZ), round(span.end_s * RATE_HZ)
    wave = track.read(first, end).astype(np.float32) / np.float32(FULL_SCALE)
    try:
        heard = pipeline({"waveform": torch.from_numpy(wave[np.newaxis]), "sample_rate": RATE_HZ}, **bounds)
    except Exception as error:  # torch has no class for a GPU that is gone
        reason = " ".join(str(error).split()) or "no reason"
        raise EngineFailed(
            f"pyannote.audio failed on the call ({type(error).__name__}: {reason[:REASON_LENGTH]}). Give it more "
            "memory, or choose --diarize light."
        ) from error
    vectors = heard.speaker_embeddings
    labels = heard.speaker_diarization.labels()
    voices = {} if vectors is None else dict(zip(labels, np.asarray(vectors, np.float32), strict=False))
    turns, exclusive = (
        tuple(_turns(each, span.start_s)) for each in (heard.speaker_diarization, heard.exclusive_speaker_diarization)
    )
    return WindowTurns(span, turns, exclusive, voices)


def _turns(annotation: Any, offset_s: float) -> Iterator[SpeakerTurn]:  # noqa: ANN401
    for segment, _, label in annotation.itertracks(yield_label=True):
        yield SpeakerTurn(Span(segment.start + offset_s, segment.end + offset_s), str(label))
