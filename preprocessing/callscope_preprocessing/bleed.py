"""Speech that one channel only carries over from another, so that nothing said once is transcribed twice.

A telephone's hybrid, or a headset beside a microphone, lets the other side's voice through: fainter, filtered and
later. What it adds is the other channel's sound through a filter. Where that filter explains what a channel holds, and
the other channel is louder, the speech there is not its own. Two people who speak at once are not explained by each
other, at whatever levels, and are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from callscope_preprocessing import leak
from callscope_preprocessing.cuts import Mask, Verdict, without
from callscope_preprocessing.leak import FRAME, RATE_HZ, Floats
from callscope_preprocessing.resample import resample_track
from callscope_preprocessing.speech import Speech
from callscope_preprocessing.track import BLOCK_S, Track

FRAME_S = FRAME / RATE_HZ
LOUDER = 10 ** (6 / 10)
"""Power of the source over the target's: what leaks is fainter than what it comes from."""
EXPLAINED = 10 ** (-5 / 10)
"""Of a frame's power, at most what may remain of it."""
FLOOR = 10 ** (6 / 10)
"""Over the target's noise: a remainder below it is no voice."""
LEAST_EXPLAINED = 0.1
"""Of the power of a frame, in the mean of those that may be leaked; less, and nothing leaks."""
LEAST_FRAMES = 75
"""A second and a half of the source alone, to learn the filter from."""
LEAST_NEAR_FRAMES = 750
"""The same for a filter of a few minutes, since the way may change during a call; else the whole call's serves."""
SMOOTH = 2
"""Frames on either side over which powers are averaged."""
LATE = 5
"""Frames by which the leaked sound may trail its source."""
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
    if len(tracks) < 2:  # noqa: PLR2004  nobody else to come from
        return tuple(speech)
    heard = [_hear(track, one) for track, one in zip(tracks, speech, strict=True)]
    return tuple(
        without(found, [_judge(source, target) for source in heard if source is not target], FRAME_S)
        for found, target in zip(speech, heard, strict=True)
    )


@dataclass(frozen=True, slots=True)
class _Heard:
    """A channel at 8 kHz; the mean square of each frame, emphasised and never 0; whether it is in speech."""

    track: Track
    power: Floats
    speaks: Mask


def _hear(track: Track, speech: Speech) -> _Heard:
    low = resample_track(track, RATE_HZ)
    size = round(BLOCK_S * RATE_HZ)
    parts = [leak.powers(leak.read(low, at, min(at + size, low.samples))) for at in range(0, low.samples, size)]
    power = np.maximum(np.concatenate(parts or [np.zeros(0, np.float32)]), SMALLEST)
    speaks = np.zeros(len(power), np.bool_)
    for span in speech.spans:
        speaks[round(span.start_s / FRAME_S) : round(span.end_s / FRAME_S)] = True
    return _Heard(low, power, speaks)


def _judge(source: _Heard, target: _Heard) -> Verdict | None:
    """What of the target's speech comes from the source; None where nothing does."""
    count = min(len(source.power), len(target.power))
    level, speaks = target.power[:count], target.speaks[:count]
    around = _around(level)
    louder = _latest_most(_around(source.power[:count])) > LOUDER * around
    alone = louder & (_latest_most(source.speaks[:count].astype(np.float32)) > 0)
    asked = alone & speaks
    if alone.sum() < LEAST_FRAMES or not asked.any():
        return None
    left = _remainders(source.track, target.track, alone, asked)
    if np.mean(np.minimum(left[asked] / level[asked], 1)) > 1 - LEAST_EXPLAINED:
        return None
    floor = FLOOR * _noise(level, source.speaks[:count] | speaks)
    rest = _around(np.minimum(left, level))
    voiced = around > floor
    leaked = asked & voiced & ((rest < EXPLAINED * around) | (rest < floor))
    return Verdict(leaked, voiced & ~leaked)


def _remainders(source: Track, target: Track, alone: Mask, asked: Mask) -> Floats:
    """What a filter learnt where the source is alone leaves of the target, in each frame that is asked for."""
    sections = leak.sum_up(source, target, alone)
    total = sum(sections[1:], sections[0])
    first = _strongest(leak.solve(total))
    filters = [leak.solve(local, first, leak.TAPS) for local in _with_neighbours(sections, total)]
    return leak.remainders(source, target, asked, filters, first)


def _around(power: Floats) -> Floats:
    """Mean of the frames around each."""
    size, padded = 2 * SMOOTH + 1, np.pad(power, SMOOTH, mode="edge")
    total = padded[: len(power)].astype(np.float64)
    for at in range(1, size):
        total += padded[at : at + len(power)]
    total /= size
    return np.maximum(total, SMALLEST, out=total).astype(np.float32)


def _latest_most(power: Floats) -> Floats:
    """The most in each frame and the few before it."""
    padded = np.pad(power, (LATE, 0), mode="edge")
    most = padded[: len(power)].copy()
    for at in range(1, LATE + 1):
        np.maximum(most, padded[at : at + len(power)], out=most)
    return most


def _strongest(taps: Floats) -> int:
    """Where the stretch of TAPS taps with the most energy begins."""
    energy = np.cumsum(np.concatenate((np.zeros(1), np.square(taps.astype(np.float64)))))
    return int(np.argmax(energy[leak.TAPS :] - energy[: -leak.TAPS]))


def _with_neighbours(sections: Sequence[leak.Sums], total: leak.Sums) -> Iterator[leak.Sums]:
    """Sums of each minute and those beside it; of the whole call where that is too little."""
    for at in range(len(sections)):
        near = sections[max(at - 1, 0) : at + 2]
        local = sum(near[1:], near[0])
        yield local if local.frames >= LEAST_NEAR_FRAMES else total


def _noise(level: Floats, speaking: Mask) -> float:
    """Power of the target where nobody speaks; of its quietest tenth where somebody always does."""
    quiet = level[~speaking]
    return float(np.median(quiet)) if len(quiet) >= LEAST_FRAMES else float(np.percentile(level, QUIET_PERCENTILE))
