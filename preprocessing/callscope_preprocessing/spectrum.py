"""What the spectrum of each frame says about tones and music: a few numbers a frame.

The window is much longer than a frame (128 ms): notes and tones are narrow lines in it, where the gliding harmonics
of a voice are smeared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from callscope_preprocessing.frames import BLOCK_FRAMES, count_frames, read_padded
from callscope_preprocessing.pcm import FULL_SCALE, Pcm
from callscope_preprocessing.pitch import tuning
from callscope_preprocessing.track import Track

RATE_HZ = 8_000
WINDOW = 1_024
BIN_HZ = RATE_HZ / WINDOW
LOWEST_BIN = 13
"""100 Hz: below it telephones carry hum, and no line of speech."""
SMALLEST = np.float32(1e-9)
LEAST_LINE = 0.005
"""Of a frame's power, in the peak of a line that counts."""
LINE_REACH = 2
TONE_REACH = 4
"""Bins on either side of a tone's peak that hold its power, where it begins or ends within the window too."""
HELD_S = 0.09
SECOND_TONE = 0.05
PITCH_REACH = 3

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Numbers of each frame, all of shape (frames,).

    Attributes:
        lines: share of the power that lies in narrow lines.
        held: likeness to the spectrum 90 ms before, 0 to 1.
        tuned: complex; where the strongest lines lie between two semitones, as an angle, weighed by their amplitude.
        amplitude: of those lines, summed.
        pure: share of the power in the two strongest lines.
        low_bin: the lower of those two.
        high_bin: the higher; equal to the lower where the second has less than a twentieth of the power.
    """

    lines: Floats
    held: Floats
    tuned: NDArray[np.complex64]
    amplitude: Floats
    pure: Floats
    low_bin: NDArray[np.int32]
    high_bin: NDArray[np.int32]


def read_spectrum(
    track: Track, size: int, *, first: int = 0, end: int | None = None, block_frames: int = BLOCK_FRAMES
) -> Spectrum:
    """Measure frames `first` up to `end`, or all, of `size` samples of a track at 8 kHz; block sizes do not matter.

    Raises:
        ValueError: the track has another rate.
    """
    if track.rate_hz != RATE_HZ:
        raise ValueError(f"Lines are measured at {RATE_HZ} Hz, and this is {track.rate_hz} Hz. Resample it first.")
    stop = count_frames(track, size) if end is None else end
    lag = max(1, round(HELD_S * RATE_HZ / size))
    around = max(lag, PITCH_REACH)
    found = []
    margin = (WINDOW - size) // 2
    for at in range(first, stop, block_frames):
        until = (min(at + block_frames, stop) + around) * size
        pcm = read_padded(track, (at - around) * size - margin, until + WINDOW - size - margin)
        found.append(_measure(pcm, size, lag, around))
    columns = zip(*found, strict=True) if found else [[np.zeros(0, np.float32)]] * 7
    return Spectrum(*(np.concatenate(list(column)) for column in columns))


def _measure(pcm: Pcm, size: int, lag: int, around: int) -> tuple[NDArray[np.generic], ...]:
    """The fields of `Spectrum` for the frames of a block, `around` frames more on either side being there."""
    power = _power(pcm, size)
    own = slice(around, len(power) - around)
    total = power.sum(axis=1)
    peaks = np.zeros(power.shape, np.bool_)
    middle = power[:, 1:-1]
    peaks[:, 1:-1] = (middle > power[:, :-2]) & (middle >= power[:, 2:]) & (middle > LEAST_LINE * total[:, np.newaxis])
    tuned, amplitude = tuning(power, peaks, BIN_HZ, PITCH_REACH)
    return (
        (_share_in_lines(power[own], peaks[own]) / total[own]),
        _likeness(power, lag)[own],
        tuned[own],
        amplitude[own],
        *_two_tones(power[own], total[own]),
    )


def _power(pcm: Pcm, size: int) -> Floats:
    windows = sliding_window_view(pcm, WINDOW)[::size] * np.hanning(WINDOW).astype(np.float32)
    bins = np.fft.rfft(windows * np.float32(1 / FULL_SCALE), axis=1)
    power: Floats = np.square(bins.real) + np.square(bins.imag) + SMALLEST
    power[:, :LOWEST_BIN] = SMALLEST
    return power


def _share_in_lines(power: Floats, peaks: NDArray[np.bool_]) -> Floats:
    near = peaks.copy()
    for offset in range(1, LINE_REACH + 1):
        near[:, offset:] |= peaks[:, :-offset]
        near[:, :-offset] |= peaks[:, offset:]
    inside: Floats = np.einsum("fb,fb->f", power, near, dtype=np.float32)
    return inside


def _likeness(power: Floats, lag: int) -> Floats:
    """Cosine between the spectra `lag` frames apart, of the fourth root of power: soft lines count too."""
    roots = np.sqrt(np.sqrt(power))
    roots /= np.sqrt(np.einsum("fb,fb->f", roots, roots))[:, np.newaxis]
    like = np.zeros(len(power), np.float32)
    like[lag:] = np.einsum("fb,fb->f", roots[lag:], roots[:-lag])
    return like


def _two_tones(power: Floats, total: Floats) -> tuple[Floats, NDArray[np.int32], NDArray[np.int32]]:
    """Share of the power in the two strongest lines, the bin of the lower and of the higher."""
    rest = power.copy()
    first, first_power = _take_line(rest)
    second, second_power = _take_line(rest)
    second = np.where(second_power < SECOND_TONE * total, first, second)
    share: Floats = (first_power + second_power) / total
    return share, np.minimum(first, second).astype(np.int32), np.maximum(first, second).astype(np.int32)


def _take_line(power: Floats) -> tuple[NDArray[np.int64], Floats]:
    """The strongest bin of each frame and the power around it, which is taken out."""
    peak: NDArray[np.int64] = power.argmax(axis=1)
    bins = np.clip(peak[:, np.newaxis] + np.arange(-TONE_REACH, TONE_REACH + 1), 0, power.shape[1] - 1)
    taken: Floats = np.take_along_axis(power, bins, axis=1).sum(axis=1)
    np.put_along_axis(power, bins, 0, axis=1)
    return peak, taken
