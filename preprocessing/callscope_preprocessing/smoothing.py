"""Frames that were voted speech become stretches of speech."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.audio import Span

BLOCK_FRAMES = 1 << 15


def smooth(
    voiced: NDArray[np.bool_], reach: int, open_share: float, close_share: float, hangover: int = 0
) -> Iterator[tuple[int, int]]:
    """Runs of speech (first frame, end frame) by hysteresis over the share of voiced frames around each frame.

    A run ends `hangover` frames after its last voiced frame, however long the share takes to fall.
    """
    first: int | None = None
    last_voiced = -1
    for at in range(0, len(voiced), BLOCK_FRAMES):
        share = share_around(voiced, reach, at, min(at + BLOCK_FRAMES, len(voiced)))
        for frame, (value, own) in enumerate(
            zip(share.tolist(), voiced[at : at + len(share)].tolist(), strict=True), at
        ):
            last_voiced = frame if own else last_voiced
            if first is None and value >= open_share and value > 0:
                first = frame
            elif first is not None and value <= close_share:
                yield first, min(max(last_voiced, first) + 1 + hangover, frame)
                first = None
    if first is not None:
        yield first, min(max(last_voiced, first) + 1 + hangover, len(voiced))


def share_around(frames: NDArray[np.bool_], reach: int, begin: int, end: int) -> NDArray[np.float64]:
    """Share of true frames among those up to `reach` away from frames `begin` up to `end`, as far as there are any."""
    near = slice(max(begin - reach, 0), min(end + reach, len(frames)))
    counts = np.concatenate(([0], np.cumsum(frames[near])))
    places = np.arange(begin, end)
    first, stop = np.maximum(places - reach, 0), np.minimum(places + reach + 1, len(frames))
    share: NDArray[np.float64] = (counts[stop - near.start] - counts[first - near.start]) / np.maximum(stop - first, 1)
    return share


def runs(frames: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Runs of true frames: the first, and the one after the last."""
    edges = np.flatnonzero(np.diff(frames.astype(np.int8), prepend=0, append=0))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def join(spans: Iterable[Span], min_gap_s: float) -> Iterator[Span]:
    """Join spans whose gap is shorter than `min_gap_s`, and those that touch."""
    current: Span | None = None
    for span in spans:
        if current is None:
            current = span
        elif span.start_s - current.end_s < min_gap_s or span.start_s <= current.end_s:
            current = Span(current.start_s, max(current.end_s, span.end_s))
        else:
            yield current
            current = span
    if current is not None:
        yield current


def pad(span: Span, padding_s: float, end_s: float) -> Span:
    """Widen a span on both sides, within the sound."""
    return Span(max(0.0, span.start_s - padding_s), min(end_s, span.end_s + padding_s))
