"""Speech packed into windows of the model's length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from callscope_preprocessing.audio import Span
from callscope_preprocessing.chunk import Chunk, Piece
from callscope_preprocessing.track import Track

CUT_SEARCH = 0.5
QUIET_S = 0.05
MOST_OVERLAP = 0.125
"""Of a window, at either end of it."""

PAUSE_S = 0.5
"""What is left of a silence between two stretches in one window."""
FARTHEST_S = 60.0
"""Neighbours in a window are at most so far apart: after a longer silence it may be somebody else, about other things.
The limit costs less than a window a minute."""


def pack(
    track: Track,
    spans: Sequence[Span],
    *,
    channel: int,
    window_s: float,
    max_gap_s: float = 0.5,
    overlap_s: float = 0.0,
    fill: bool = False,
    pause_s: float = PAUSE_S,
) -> tuple[Chunk, ...]:
    """Pack spans of speech into as few chunks as fit, without breaking one that fits the window.

    Neighbours at most `max_gap_s` apart make one stretch while it fits the window. A span longer than the window is cut
    where the sound is quietest in the last half of the window, and both sides hear on beyond the cut. Every sample of
    every span is in exactly one piece of one chunk, and the stretches are the same with and without `fill`.

    Args:
        track: one channel at the model's rate.
        spans: speech, in seconds; any order, may overlap or reach beyond the sound.
        channel: number of the channel, for the chunks.
        window_s: length of the model's window.
        max_gap_s: the longest pause inside a stretch.
        overlap_s: how far beyond a cut to hear, at most an eighth of the window.
        fill: whether a chunk takes as many stretches as fit, in their order, or only one.
        pause_s: how much of the silence between two stretches in a chunk is heard: half of it after the one and half
            before the other.

    Returns:
        Chunks in the order of time.

    Raises:
        ValueError: the window is shorter than a sample.
    """
    window = round(window_s * track.rate_hz)
    if window < 1:
        raise ValueError(f"Nothing can be packed into windows of {window_s} s. Give a window of at least a sample.")
    overlap = min(round(overlap_s * track.rate_hz), int(window * MOST_OVERLAP))
    cut = _cut(track, _union(spans, track), window, overlap)
    stretches = _merge(cut, window, round(max_gap_s * track.rate_hz))
    if not fill:
        return tuple(Chunk(channel, track, (piece,)) for piece in stretches)
    filled = _fill(stretches, window, round(pause_s * track.rate_hz), round(FARTHEST_S * track.rate_hz))
    return tuple(Chunk(channel, track, pieces) for pieces in filled)


def _union(spans: Iterable[Span], track: Track) -> Iterator[tuple[int, int]]:
    """Spans as [start, end) samples within the sound, in order and apart from each other."""
    current: tuple[int, int] | None = None
    for span in sorted(spans):
        start = min(max(round(span.start_s * track.rate_hz), 0), track.samples)
        end = min(max(round(span.end_s * track.rate_hz), 0), track.samples)
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


def _cut(track: Track, ranges: Iterable[tuple[int, int]], window: int, overlap: int) -> Iterator[Piece]:
    for first, end in ranges:
        start, lead = first, 0
        while end - start + lead > window:
            last = start - lead + window - overlap
            cut = _quietest(track, last - round((last - start) * CUT_SEARCH), last)
            yield Piece(start, cut, lead + cut - start + overlap, lead, overlap)
            start, lead = cut, overlap
        yield Piece(start, end, lead + end - start, lead)


def _quietest(track: Track, first: int, last: int) -> int:
    """The middle of the 50 ms of least energy that end by `last`; the latest of equals, for the fewest cuts."""
    size = min(max(round(QUIET_S * track.rate_hz), 1), last - first)
    if size < 1:
        return last
    energy = np.concatenate(([0], np.cumsum(track.read(first, last).astype(np.int64) ** 2)))
    around = energy[size:] - energy[:-size]
    latest = len(around) - 1 - int(np.argmin(around[::-1]))
    return max(first + latest + (size + 1) // 2, first + 1)


def _merge(pieces: Iterable[Piece], window: int, max_gap: int) -> Iterator[Piece]:
    """Join neighbours that are close together into one piece."""
    current: Piece | None = None
    for piece in pieces:
        if current is not None and _fit(current, piece, window, max_gap):
            speech = current.speech + piece.speech
            current = replace(current, end=piece.end, speech=speech, tail=piece.tail)
            continue
        if current is not None:
            yield current
        current = piece
    if current is not None:
        yield current


def _fit(first: Piece, second: Piece, window: int, max_gap: int) -> bool:
    """Whether two pieces may be one; those that were cut apart stay so."""
    length = second.last - first.first
    return not (first.tail or second.lead) and second.start - first.end <= max_gap and length <= window


def _fill(pieces: Iterable[Piece], window: int, pause: int, farthest: int) -> Iterator[tuple[Piece, ...]]:
    """The pieces of each window: as many as fit one after the other."""
    current: tuple[Piece, ...] = ()
    for piece in pieces:
        if current and (longer := _beside(current, piece, pause, farthest)) and longer[-1].limit <= window:
            current = longer
            continue
        if current:
            yield current
        current = (piece,)
    if current:
        yield current


def _beside(pieces: tuple[Piece, ...], piece: Piece, pause: int, farthest: int) -> tuple[Piece, ...]:
    """The pieces with one more, the silence before it shortened; none if it may not be heard in their window."""
    before, gap = pieces[-1], piece.start - pieces[-1].end
    if before.tail or piece.lead or gap > farthest:
        return ()
    kept = min(gap, pause)
    before = replace(before, tail=kept - kept // 2)
    return (*pieces[:-1], before, replace(piece, lead=kept // 2, place=before.limit))
