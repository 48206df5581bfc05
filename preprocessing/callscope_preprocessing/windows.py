"""Speech packed into windows of the model's length.

A chunk is one contiguous stretch of the call, so a time in the chunk plus the chunk's start is a time in the call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from callscope_preprocessing.audio import Audio, Span
from callscope_preprocessing.pcm import Pcm, to_int16

CUT_SEARCH = 0.25
QUIET_S = 0.05


@dataclass(frozen=True, slots=True)
class Chunk:
    """A window of sound for the recogniser.

    Attributes:
        channel: the channel it is from.
        span: where it lies in the call.
        audio: int16, shape (window_samples,): the stretch of `span`, then zeros.
        speech_s: how much of `span` is speech, in seconds.
    """

    channel: int
    span: Span
    audio: Pcm
    speech_s: float


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Samples [start, end) of the call, `speech` of them speech."""

    start: int
    end: int
    speech: int


def pack(
    audio: Audio, spans: Sequence[Span], *, channel: int, window_s: float, max_gap_s: float = 0.5
) -> tuple[Chunk, ...]:
    """Pack spans of speech into as few chunks as fit, without breaking one that fits the window.

    Neighbours at most `max_gap_s` apart share a chunk while it fits. A span longer than the window is cut where the
    sound is quietest in the last quarter of the window. Every sample of every span is in exactly one chunk.

    Args:
        audio: one channel at the model's rate.
        spans: speech, in seconds; any order, may overlap or reach beyond the sound.
        channel: number of the channel, for the chunks.
        window_s: length of the model's window.
        max_gap_s: the longest pause inside a chunk.

    Returns:
        Chunks in the order of time.

    Raises:
        ValueError: there is more than one channel, or the window is shorter than a sample.
    """
    window = round(window_s * audio.rate_hz)
    if audio.channels != 1 or window < 1:
        raise ValueError(
            f"{audio.channels} channels cannot be packed into windows of {window_s} s. "
            "Give one channel and a window of at least a sample."
        )
    pcm = to_int16(audio.samples[0])
    pieces = _cut(pcm, _union(spans, audio), window, audio.rate_hz)
    stretches = _merge(pieces, window, round(max_gap_s * audio.rate_hz))
    return tuple(_chunk(pcm, stretch, audio.rate_hz, channel, window) for stretch in stretches)


def _union(spans: Iterable[Span], audio: Audio) -> Iterator[tuple[int, int]]:
    """Spans as [start, end) samples within the sound, in order and apart from each other."""
    frames = audio.samples.shape[1]
    current: tuple[int, int] | None = None
    for span in sorted(spans):
        start = min(max(round(span.start_s * audio.rate_hz), 0), frames)
        end = min(max(round(span.end_s * audio.rate_hz), 0), frames)
        if end <= start:
            continue
        if current is None or start > current[1]:
            if current is not None:
                yield current
            current = (start, end)
        else:
            current = (current[0], max(current[1], end))
    if current is not None:
        yield current


def _cut(pcm: Pcm, ranges: Iterable[tuple[int, int]], window: int, rate_hz: int) -> Iterator[_Stretch]:
    for first, end in ranges:
        start = first
        while end - start > window:
            cut = _quietest(pcm, start + window - round(window * CUT_SEARCH), start + window, rate_hz)
            yield _Stretch(start, cut, cut - start)
            start = cut
        yield _Stretch(start, end, end - start)


def _quietest(pcm: Pcm, first: int, last: int, rate_hz: int) -> int:
    """The middle of the 50 ms of least energy that end by `last`; the latest of equals, for the fewest cuts."""
    size = min(max(round(QUIET_S * rate_hz), 1), last - first)
    if size < 1:
        return last
    energy = np.concatenate(([0], np.cumsum(pcm[first:last].astype(np.int64) ** 2)))
    around = energy[size:] - energy[:-size]
    latest = len(around) - 1 - int(np.argmin(around[::-1]))
    return max(first + latest + (size + 1) // 2, first + 1)


def _merge(pieces: Iterable[_Stretch], window: int, max_gap: int) -> Iterator[_Stretch]:
    current: _Stretch | None = None
    for piece in pieces:
        if current is not None and piece.start - current.end <= max_gap and piece.end - current.start <= window:
            current = _Stretch(current.start, piece.end, current.speech + piece.speech)
            continue
        if current is not None:
            yield current
        current = piece
    if current is not None:
        yield current


def _chunk(pcm: Pcm, stretch: _Stretch, rate_hz: int, channel: int, window: int) -> Chunk:
    audio = np.zeros(window, np.int16)
    audio[: stretch.end - stretch.start] = pcm[stretch.start : stretch.end]
    audio.flags.writeable = False
    return Chunk(channel, Span(stretch.start / rate_hz, stretch.end / rate_hz), audio, stretch.speech / rate_hz)
