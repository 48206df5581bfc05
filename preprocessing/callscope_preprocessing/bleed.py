"""Speech that one channel only carries over from another, so that nothing said once is transcribed twice.

A telephone's hybrid, or a headset beside a microphone, lets the other side's voice through: fainter, filtered and
later. What it adds is the other channel's sound through a filter. Where that filter explains what a channel holds, and
the other channel is louder, the speech there is not its own. Two people who speak at once are not explained by each
other, at whatever levels, and are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing import leak
from callscope_preprocessing.audio import Span
from callscope_preprocessing.leak import FRAME, RATE_HZ, Floats
from callscope_preprocessing.resample import resample_track
from callscope_preprocessing.speech import Dropped, Speech
from callscope_preprocessing.track import BLOCK_S, Track

Mask = NDArray[np.bool_]

FRAME_S = FRAME / RATE_HZ
LOUDER = 10 ** (6 / 10)
"""Power of the source over the target's: what leaks is fainter than what it comes from."""
EXPLAINED = 10 ** (-5 / 10)
"""Of a frame's power, at most what may remain of it."""
FLOOR = 10 ** (6 / 10)
"""Over the target's noise: a remainder below it is no voice."""
LEAST_EXPLAINED = 0.3
"""Share of the leaked frames' power that a filter of the whole call must explain, or nothing leaks."""
LEAST_FRAMES = 75
"""A second and a half of the source alone, to learn the filter from."""
SMOOTH = 2
"""Frames on either side over which powers are averaged."""
LATE = 5
"""Frames by which the leaked sound may trail its source."""
SHARE_REACH = 5
OPEN, CLOSE = 0.5, 0.2
"""Share of leaked frames around, where a cut begins and ends."""
SHORTEST_S = 0.2
MARGIN = 7
"""Frames without sound that a cut takes from what it touches, and leaves beside own speech."""
LONGEST_QUIET = 24
QUIET_PERCENTILE = 10
SMALLEST = np.float32(0.1)


def remove_bleed(tracks: Sequence[Track], speech: Sequence[Speech]) -> tuple[Speech, ...]:
    """Take out of each channel's speech what another channel explains.

    Args:
        tracks: channels of one recording, at one rate.
        speech: what was found in each, in the same order.

    Returns:
        The same, where nothing leaks; else speech without the leaked stretches, which are in `dropped`, reason "bleed".

    Raises:
        StorageFull: the folder for temporary files has no room.
        ValueError: there are not as many tracks as speech.
    """
    low = [resample_track(track, RATE_HZ) for track in tracks] if len(tracks) > 1 else []
    levels = [_powers(track) for track in low]
    spoken = [_frames_of(one.spans, len(level)) for one, level in zip(speech, levels, strict=False)]
    cleaned = []
    for target, (track, found) in enumerate(zip(tracks, speech, strict=True)):
        verdicts = [
            _judge(low[source], low[target], levels[source], levels[target], spoken[source], spoken[target])
            for source in range(len(low))
            if source != target
        ]
        cleaned.append(_without(found, verdicts, track.duration_s))
    return tuple(cleaned)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Frames of a channel that another explains, and those loud enough to be its own."""

    leaked: Mask
    own: Mask


def _judge(
    source: Track, target: Track, above: Floats, level: Floats, source_speaks: Mask, target_speaks: Mask
) -> _Verdict | None:
    """What of the target's speech comes from the source; None where nothing does."""
    count = min(len(above), len(level))
    above, level = above[:count], level[:count]
    around = _around(level)
    louder = _trailing_most(_around(above)) > LOUDER * around
    alone = louder & _trailing(source_speaks[:count])
    if alone.sum() < LEAST_FRAMES or not (alone & target_speaks[:count]).any():
        return None
    sections = leak.sum_up(source, target, alone)
    total = sum(sections[1:], sections[0])
    whole = leak.solve(total)
    first = _strongest(whole)
    filters = [leak.solve(local, first, leak.TAPS) for local in _with_neighbours(sections, total)]
    asked = alone & target_speaks[:count]
    left = leak.remainders(source, target, asked, filters, first)
    if left[asked].sum() > (1 - LEAST_EXPLAINED) * level[asked].sum():
        return None
    floor = FLOOR * _noise(level, source_speaks[:count] | target_speaks[:count])
    rest = _around(np.minimum(left, level))
    voiced = around > floor
    leaked = asked & voiced & ((rest < EXPLAINED * around) | (rest < floor))
    return _Verdict(leaked, voiced & ~leaked)


def _powers(track: Track) -> Floats:
    """Mean square of each frame, emphasised; never 0."""
    size = round(BLOCK_S * RATE_HZ)
    parts = [leak.powers(leak.read(track, at, min(at + size, track.samples))) for at in range(0, track.samples, size)]
    return np.maximum(np.concatenate(parts or [np.zeros(0, np.float32)]), SMALLEST)


def _frames_of(spans: Iterable[Span], count: int) -> Mask:
    inside = np.zeros(count, np.bool_)
    for span in spans:
        inside[round(span.start_s / FRAME_S) : round(span.end_s / FRAME_S)] = True
    return inside


def _around(power: Floats) -> Floats:
    """Mean of the frames around each."""
    size = 2 * SMOOTH + 1
    sums = np.cumsum(np.concatenate((np.zeros(1), np.pad(power.astype(np.float64), SMOOTH, mode="edge"))))
    return np.asarray(np.maximum((sums[size:] - sums[:-size]) / size, SMALLEST), np.float32)


def _trailing_most(power: Floats) -> Floats:
    """The most in each frame and the few before it."""
    padded = np.pad(power, (LATE, 0), mode="edge")
    return np.max([padded[at : at + len(power)] for at in range(LATE + 1)], axis=0)


def _trailing(mask: Mask) -> Mask:
    return _trailing_most(mask.astype(np.float32)) > 0


def _strongest(taps: Floats) -> int:
    """Where the stretch of TAPS taps with the most energy begins."""
    energy = np.cumsum(np.concatenate((np.zeros(1), np.square(taps.astype(np.float64)))))
    return int(np.argmax(energy[leak.TAPS :] - energy[: -leak.TAPS]))


def _with_neighbours(sections: Sequence[leak.Sums], total: leak.Sums) -> Iterator[leak.Sums]:
    """Sums of each minute and those beside it; of the whole call where that is too little."""
    for at in range(len(sections)):
        near = sections[max(at - 1, 0) : at + 2]
        local = sum(near[1:], near[0])
        yield local if local.frames >= 10 * LEAST_FRAMES else total


def _noise(level: Floats, speaking: Mask) -> float:
    """Power of the target where nobody speaks; of its quietest tenth where somebody always does."""
    quiet = level[~speaking]
    return float(np.median(quiet)) if len(quiet) >= LEAST_FRAMES else float(np.percentile(level, QUIET_PERCENTILE))


def _without(found: Speech, verdicts: Iterable[_Verdict | None], duration_s: float) -> Speech:
    known = [verdict for verdict in verdicts if verdict is not None]
    if not known:
        return found
    leaked = np.logical_or.reduce([verdict.leaked for verdict in known])
    own = np.logical_and.reduce([verdict.own for verdict in known])
    spans, dropped = [], list(found.dropped)
    for span in found.spans:
        kept, cut = _cut(span, leaked, own)
        spans += kept
        dropped += [Dropped(one, "bleed") for one in cut]
    return Speech(tuple(spans), tuple(sorted(dropped, key=lambda one: one.span)))


def _cut(span: Span, leaked: Mask, own: Mask) -> tuple[list[Span], list[Span]]:
    """What is kept of a span, and what is cut out of it."""
    first, end = round(span.start_s / FRAME_S), min(round(span.end_s / FRAME_S), len(leaked))
    cuts = _cuts(leaked[first:end], own[first:end])
    if not cuts.any():
        return [span], []
    pieces = [(bool(cuts[at]), at, stop) for at, stop in _runs(cuts)]
    kept, gone = [], []
    for is_cut, at, stop in pieces:
        piece = Span(
            span.start_s if at == 0 else (first + at) * FRAME_S,
            span.end_s if stop == end - first else (first + stop) * FRAME_S,
        )
        (gone if is_cut or piece.duration_s < SHORTEST_S else kept).append(piece)
    return kept, list(_joined(sorted(gone)))


def _cuts(leaked: Mask, own: Mask) -> Mask:
    """Frames to cut: where leaked ones prevail, and the quiet around them up to own speech."""
    cuts = np.zeros(len(leaked), np.bool_)
    share, others = _share(leaked), _share(own)
    start: int | None = None
    for at in range(len(leaked) + 1):
        here = share[at] - others[at] if at < len(leaked) else -1.0
        if start is None and here >= OPEN:
            start = at
        elif start is not None and here <= CLOSE and (at == len(leaked) or others[at] > 0 or share[at] == 0):
            if (at - start) * FRAME_S >= SHORTEST_S / 2:
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


def _share(mask: Mask) -> NDArray[np.float64]:
    counts = np.concatenate(([0], np.cumsum(mask)))
    frames = np.arange(len(mask))
    first, end = np.maximum(frames - SHARE_REACH, 0), np.minimum(frames + SHARE_REACH + 1, len(mask))
    share: NDArray[np.float64] = (counts[end] - counts[first]) / np.maximum(end - first, 1)
    return share


def _runs(mask: Mask) -> Iterator[tuple[int, int]]:
    """Stretches of equal frames."""
    edges = np.concatenate(([0], np.flatnonzero(np.diff(mask)) + 1, [len(mask)]))
    yield from zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    current: Span | None = None
    for span in spans:
        if current is not None and span.start_s <= current.end_s:
            current = Span(current.start_s, span.end_s)
            continue
        if current is not None:
            yield current
        current = span
    if current is not None:
        yield current
