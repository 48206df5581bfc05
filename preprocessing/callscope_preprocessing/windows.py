"""Speech packed into windows of the model's length.

A chunk is one contiguous stretch of the call, so a time in its sound plus the sound's start is a time in the call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from callscope_preprocessing.audio import Audio, Span
from callscope_preprocessing.pcm import Pcm, to_int16

CUT_SEARCH = 0.5
QUIET_S = 0.05
MOST_OVERLAP = 0.125
"""Of a window, at either end of it."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Sound for one window of the recogniser.

    Attributes:
        channel: the channel it is from.
        span: where it lies in the call; its words are those said here.
        audio: int16, shape (samples,): what is heard, at most a window, read-only and no copy.
        speech_s: how much of what is heard is speech, in seconds.
        lead_s: what is heard before `span`, beyond a cut; its words are the neighbour's.
        tail_s: the same after it.
    """

    channel: int
    span: Span
    audio: Pcm
    speech_s: float
    lead_s: float = 0.0
    tail_s: float = 0.0

    @property
    def heard(self) -> Span:
        """Where `audio` lies in the call."""
        return Span(self.span.start_s - self.lead_s, self.span.end_s + self.tail_s)

    def window(self, samples: int) -> Pcm:
        """A copy of `audio` and zeros after it, shape (samples,)."""
        return np.pad(self.audio, (0, samples - len(self.audio)))


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Samples [start, end) of the call, `speech` of them speech, and how many more are heard before and after."""

    start: int
    end: int
    speech: int
    lead: int = 0
    tail: int = 0


def pack(
    audio: Audio,
    spans: Sequence[Span],
    *,
    channel: int,
    window_s: float,
    max_gap_s: float = 0.5,
    overlap_s: float = 0.0,
) -> tuple[Chunk, ...]:
    """Pack spans of speech into as few chunks as fit, without breaking one that fits the window.

    Neighbours at most `max_gap_s` apart share a chunk while it fits. A span longer than the window is cut where the
    sound is quietest in the last half of the window, and both sides hear on beyond the cut. Every sample of every span
    is in the span of exactly one chunk.

    Args:
        audio: one channel at the model's rate.
        spans: speech, in seconds; any order, may overlap or reach beyond the sound.
        channel: number of the channel, for the chunks.
        window_s: length of the model's window.
        max_gap_s: the longest pause inside a chunk.
        overlap_s: how far beyond a cut to hear, at most an eighth of the window.

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
    pcm.flags.writeable = False
    overlap = min(round(overlap_s * audio.rate_hz), int(window * MOST_OVERLAP))
    pieces = _cut(pcm, _union(spans, audio), window, overlap, audio.rate_hz)
    stretches = _merge(pieces, window, round(max_gap_s * audio.rate_hz))
    return tuple(_chunk(pcm, stretch, audio.rate_hz, channel) for stretch in stretches)


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


def _cut(pcm: Pcm, ranges: Iterable[tuple[int, int]], window: int, overlap: int, rate_hz: int) -> Iterator[_Stretch]:
    for first, end in ranges:
        start, lead = first, 0
        while end - start + lead > window:
            last = start - lead + window - overlap
            cut = _quietest(pcm, last - round((last - start) * CUT_SEARCH), last, rate_hz)
            yield _Stretch(start, cut, lead + cut - start + overlap, lead, overlap)
            start, lead = cut, overlap
        yield _Stretch(start, end, lead + end - start, lead)


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
        if current is not None and _fit(current, piece, window, max_gap):
            current = _Stretch(current.start, piece.end, current.speech + piece.speech, current.lead, piece.tail)
            continue
        if current is not None:
            yield current
        current = piece
    if current is not None:
        yield current


def _fit(first: _Stretch, second: _Stretch, window: int, max_gap: int) -> bool:
    """Whether two stretches may share a window; those that were cut apart stay so."""
    length = second.end + second.tail - first.start + first.lead
    return not (first.tail or second.lead) and second.start - first.end <= max_gap and length <= window


def _chunk(pcm: Pcm, stretch: _Stretch, rate_hz: int, channel: int) -> Chunk:
    audio = pcm[stretch.start - stretch.lead : stretch.end + stretch.tail]
    span = Span(stretch.start / rate_hz, stretch.end / rate_hz)
    return Chunk(channel, span, audio, stretch.speech / rate_hz, stretch.lead / rate_hz, stretch.tail / rate_hz)
