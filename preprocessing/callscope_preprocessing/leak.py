"""The way by which one channel's voice comes into another: a filter, and what remains when it is taken away.

The filter of finite length that predicts the target from the source with the least squared error solves the normal
equations R h = r, R the source's autocorrelation and r its cross-correlation with the target (Haykin, Adaptive Filter
Theory, ch. 2). What the target holds of its own is in neither and stays in the remainder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from callscope_preprocessing.track import Track

Floats = NDArray[np.float32]

RATE_HZ = 8_000
FRAME = 160
"""Samples, 20 ms."""
SEGMENT_FRAMES = 50
AHEAD, BEHIND = 160, 560
"""Taps: the target may hold the sound up to 20 ms before the source, or 70 ms after it."""
TAPS = 256
"""Of those, in the filter of a minute: the strongest 32 ms."""
SECTION_SEGMENTS = 60
REGULAR = 1e-4
"""Of the source's power, added to it: bands without sound are not divided by."""
EMPHASIS = np.float32(0.9)
"""Of the sample before, taken away from each, so that high sounds count as low ones do."""
FFT = 1 << 14


@dataclass(frozen=True, slots=True)
class Sums:
    """What the normal equations need, summed over stretches: a number for each of AHEAD + BEHIND taps.

    Attributes:
        source: autocorrelation of the source, from lag 0 on.
        both: correlation of the source, at each tap, with the target.
        frames: how many were summed.
    """

    source: NDArray[np.float64]
    both: NDArray[np.float64]
    frames: int

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.source + other.source, self.both + other.both, self.frames + other.frames)


def read(track: Track, first: int, end: int) -> Floats:
    """Samples, emphasised, shape (end - first,); 0 beyond the track."""
    pcm = np.zeros(end - first + 1, np.float32)
    own = track.read(first - 1, end)
    start = max(0, 1 - first)
    pcm[start : start + len(own)] = own
    return np.asarray(pcm[1:] - EMPHASIS * pcm[:-1], np.float32)


def powers(samples: Floats) -> Floats:
    """Mean square of each frame, shape (len(samples) // FRAME,)."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    return np.asarray(np.einsum("fs,fs->f", frames, frames) / FRAME, np.float32)


def segments(frames: NDArray[np.bool_]) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Each second in which any of these frames lies: its number, and which they are."""
    for number in range(-(-len(frames) // SEGMENT_FRAMES)):
        chosen = frames[number * SEGMENT_FRAMES : (number + 1) * SEGMENT_FRAMES]
        if chosen.any():
            yield number, chosen


def sum_up(source: Track, target: Track, frames: NDArray[np.bool_]) -> list[Sums]:
    """Sums over these frames, one for each minute of the call."""
    size = SEGMENT_FRAMES * SECTION_SEGMENTS
    return [_section(source, target, frames[at : at + size], at * FRAME) for at in range(0, len(frames) + 1, size)]


def _section(source: Track, target: Track, frames: NDArray[np.bool_], begin: int) -> Sums:
    """Sums over these frames, the first of which begins at sample `begin`."""
    length = SEGMENT_FRAMES * FRAME
    around, across = np.zeros(FFT // 2 + 1, np.complex128), np.zeros(FFT // 2 + 1, np.complex128)
    for number, chosen in segments(frames):
        first, mask = begin + number * length, np.repeat(chosen, FRAME)
        heard = read(source, first - BEHIND, first + length + AHEAD)
        spectrum = np.conj(np.fft.rfft(heard, FFT))
        own = _masked(heard[BEHIND : BEHIND + length], mask)
        other = _masked(read(target, first, first + length), mask)
        around += spectrum * np.fft.rfft(own, FFT)
        across += spectrum * np.fft.rfft(other, FFT)
    return Sums(_from_zero(np.fft.irfft(around, FFT)), _from_earliest(np.fft.irfft(across, FFT)), int(frames.sum()))


def _from_zero(around: NDArray[np.float64]) -> NDArray[np.float64]:
    """Autocorrelation from lag 0 on; that of a stretch within a longer one differs a little with the lag's sign."""
    lags = np.arange(AHEAD + BEHIND)  # heard starts BEHIND samples before own, so that lag k lies at -(BEHIND - k)
    return np.asarray((around[(lags - BEHIND) % FFT] + around[(-lags - BEHIND) % FFT]) / 2, np.float64)


def _from_earliest(across: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cross-correlation from the earliest tap on."""
    return np.asarray(across[(np.arange(AHEAD + BEHIND) - AHEAD - BEHIND) % FFT], np.float64)


def _masked(samples: Floats, mask: NDArray[np.bool_]) -> Floats:
    """Samples where the mask is set, 0 elsewhere."""
    return np.asarray(samples[: len(mask)] * mask, np.float32)


def solve(sums: Sums, first: int = 0, taps: int = AHEAD + BEHIND) -> Floats:
    """The filter: taps `first` and on of AHEAD + BEHIND, of which number AHEAD is the one without delay."""
    if not sums.frames:
        return np.zeros(taps, np.float32)
    auto = sums.source[:taps].copy()
    auto[0] *= 1 + REGULAR
    matrix = sliding_window_view(np.concatenate((auto[:0:-1], auto)), taps)[::-1]
    return np.asarray(np.linalg.solve(matrix, sums.both[first : first + taps]), np.float32)


def remainders(source: Track, target: Track, frames: NDArray[np.bool_], filters: list[Floats], first: int) -> Floats:
    """Mean square of what the filters, one a minute, leave of the target in the seconds of these frames.

    Returns:
        Shape (frames,), infinite elsewhere.
    """
    length, left = SEGMENT_FRAMES * FRAME, np.full(len(frames), np.inf, np.float32)
    taps = len(filters[0])
    for number, chosen in segments(frames):
        start = number * length
        heard = read(source, start + AHEAD - first - taps + 1, start + length + AHEAD - first)
        kernel = np.fft.rfft(filters[number // SECTION_SEGMENTS], FFT)
        predicted = np.fft.irfft(np.fft.rfft(heard, FFT) * kernel, FFT)[taps - 1 : taps - 1 + length]
        rest = read(target, start, start + length) - predicted.astype(np.float32)
        at = number * SEGMENT_FRAMES
        left[at : at + len(chosen)] = powers(rest)[: len(chosen)]
    return left
