"""Stretches that are not a channel's own, cut out of its speech frame by frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.audio import Span
from callscope_preprocessing.smoothing import join, share_around
from callscope_preprocessing.speech import Dropped, Speech

Mask = NDArray[np.bool_]

REACH = 5
"""Frames on either side whose share of leaked ones decides."""
OPEN, CLOSE = 0.5, 0.2
"""By how much leaked frames outnumber own ones, as a share, where a cut begins and ends."""
SHORTEST_S = 0.2
"""Shorter speech goes with the cut that it is beside."""
MARGIN = 7
"""Quiet frames that are left beside own speech, for soft onsets and endings."""
LONGEST_QUIET = 24
"""Quiet frames that go with a cut: what a detector adds before, after and between words."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Frames of a channel that another explains, and those loud enough to be its own, each of shape (frames,)."""

    leaked: Mask
    own: Mask


def without(found: Speech, verdicts: Sequence[Verdict | None], frame_s: float) -> Speech:
    """Take what is not a channel's own out of its speech.

    Args:
        found: the channel's speech.
        verdicts: one for each other channel; None where nothing comes from it.
        frame_s: length of a frame, in seconds.

    Returns:
        Speech without the stretches where leaked frames prevail and the quiet around them; `found` itself where there
        are none.
    """
    known = [verdict for verdict in verdicts if verdict is not None]
    if not known:
        return found
    count = min(len(verdict.own) for verdict in known)
    leaked = np.logical_or.reduce([verdict.leaked[:count] for verdict in known])
    own = np.logical_and.reduce([verdict.own[:count] for verdict in known])
    spans, dropped = list[Span](), list(found.dropped)
    for span in found.spans:
        kept, cut = _cut(span, leaked, own, frame_s)
        spans += kept
        dropped += [Dropped(one, "bleed") for one in cut]
    return Speech(tuple(spans), tuple(sorted(dropped, key=lambda one: one.span)))


def _cut(span: Span, leaked: Mask, own: Mask, frame_s: float) -> tuple[list[Span], list[Span]]:
    """What is kept of a span, and what is cut out of it."""
    first, end = round(span.start_s / frame_s), min(round(span.end_s / frame_s), len(leaked))
    cuts = _cuts(leaked[first:end], own[first:end], round(SHORTEST_S / frame_s))
    if not cuts.any():
        return [span], []
    kept, gone = list[Span](), list[Span]()
    for at, stop in _runs(cuts):
        piece = Span(
            span.start_s if at == 0 else (first + at) * frame_s,
            span.end_s if stop == end - first else (first + stop) * frame_s,
        )
        (gone if cuts[at] or piece.duration_s < SHORTEST_S else kept).append(piece)
    return kept, list(join(gone, 0.0))


def _cuts(leaked: Mask, own: Mask, shortest: int) -> Mask:
    """Frames to cut: where leaked ones prevail, and the quiet around them up to own speech."""
    cuts = np.zeros(len(leaked), np.bool_)
    share, others = (share_around(mask, REACH, 0, len(mask)) for mask in (leaked, own))
    start: int | None = None
    for at in range(len(leaked) + 1):
        here = share[at] - others[at] if at < len(leaked) else -1.0
        if start is None and here >= OPEN:
            start = at
        elif start is not None and here <= CLOSE and (at == len(leaked) or others[at] > 0 or share[at] == 0):
            if 2 * (at - start) >= shortest:
                cuts[_back(own, start) : _forth(own, at)] = True
            start = None
    return cuts


def _back(own: Mask, at: int) -> int:
    """How far a cut that begins at a frame reaches back: to own speech, and less a margin before it."""
    before = np.flatnonzero(own[max(at - LONGEST_QUIET, 0) : at])
    first = max(at - LONGEST_QUIET, 0)
    return min(first + int(before[-1]) + 1 + MARGIN, at) if len(before) else first


def _forth(own: Mask, at: int) -> int:
    after = np.flatnonzero(own[at : at + LONGEST_QUIET])
    return max(at + int(after[0]) - MARGIN, at) if len(after) else min(at + LONGEST_QUIET, len(own))


def _runs(mask: Mask) -> Iterator[tuple[int, int]]:
    """Stretches of equal frames."""
    edges = np.concatenate(([0], np.flatnonzero(np.diff(mask)) + 1, [len(mask)]))
    yield from zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
