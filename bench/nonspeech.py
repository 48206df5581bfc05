"""Sounds of telephones that are no speech, made from seeds at 8 kHz: noise, tones, music."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float64]

RATE_HZ = 8_000
RINGING: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "ring-back, UK": ((400, 450), (0.4, 0.2, 0.4, 2.0)),
    "ring-back, US and Korea": ((440, 480), (2.0, 4.0)),
    "ring-back, Europe": ((425,), (1.0, 4.0)),
    "ring-back, Japan": ((384, 416), (1.0, 2.0)),
    "busy, Europe": ((425,), (0.5, 0.5)),
    "busy, US": ((480, 620), (0.5, 0.5)),
    "busy, UK": ((400,), (0.375, 0.375)),
    "reorder, US": ((480, 620), (0.25, 0.25)),
}
"""Tones in Hz, and seconds on and off in turn (ITU-T E.180)."""
MAJOR = (0, 2, 4, 5, 7, 9, 11)
VIBRATO_HZ = 5.5


def times(seconds: float) -> Sound:
    """The time of each sample, in seconds."""
    return np.arange(round(seconds * RATE_HZ)) / RATE_HZ


def tones(seconds: float, hz: tuple[float, ...]) -> Sound:
    """Steady tones at once."""
    return np.sum([0.2 * np.sin(2 * np.pi * one * times(seconds)) for one in hz], axis=0)


def ringing(seconds: float, name: str) -> Sound:
    """One of `RINGING`."""
    hz, pattern = RINGING[name]
    edges = np.cumsum(pattern)
    place = np.searchsorted(edges, times(seconds) % edges[-1], side="right")
    return tones(seconds, hz) * (place % 2 == 0)


def note(
    hz: float, seconds: float, random: np.random.Generator, *, overtone: float, decay: float, vibrato: float
) -> Sound:
    """A note with eight partials, each `overtone` times the one below it, fading; vibrato as a share of its pitch."""
    time = times(seconds)
    phase = 2 * np.pi * hz * (time + vibrato / (2 * np.pi * VIBRATO_HZ) * np.sin(2 * np.pi * VIBRATO_HZ * time))
    partials = [k for k in range(1, 9) if k * hz < 0.48 * RATE_HZ]
    waves = [overtone ** (k - 1) * np.sin(k * phase + random.uniform(0, 2 * np.pi)) for k in partials]
    return np.sum(waves, axis=0) * np.exp(-decay * time) * np.minimum(time / 0.01, 1)


def music(
    seconds: float,
    seed: int,
    *,
    steps: tuple[tuple[int, ...], ...],
    beat_s: float,
    base_hz: float = 220.0,
    overtone: float = 0.5,
    decay: float = 3.0,
    vibrato: float = 0.0,
    drum: float = 0.0,
) -> Sound:
    """Notes of a major scale over changing roots.

    Args:
        seconds: length.
        seed: of the roots, phases and drums.
        steps: degrees of the scale that sound together at each beat, in turn.
        beat_s: time from one to the next.
        base_hz: the lowest root.
        overtone: see `note`.
        decay: see `note`.
        vibrato: see `note`.
        drum: level of a burst of noise at each beat.
    """
    random = np.random.default_rng(seed)
    sound, root = np.zeros(round((seconds + 4) * RATE_HZ)), 0
    for number, start_s in enumerate(np.arange(0, seconds, beat_s)):
        if number % len(steps) == 0:
            root = int(random.integers(0, 7))
        first = round(start_s * RATE_HZ)
        for step in steps[number % len(steps)]:
            octave, degree = divmod(root + step, len(MAJOR))
            hz = base_hz * 2 ** (octave + MAJOR[degree] / 12)
            one = note(hz, 2 * beat_s, random, overtone=overtone, decay=decay, vibrato=vibrato)
            sound[first : first + len(one)] += one
        burst = random.normal(0, drum, RATE_HZ // 12) * np.exp(-60 * times(1 / 12)[: RATE_HZ // 12])
        sound[first : first + len(burst)] += burst
    sound = sound[: round(seconds * RATE_HZ)]
    return 0.5 * sound / np.abs(sound).max()


TRIAD = ((0, 2, 4),)
ARPEGGIO = ((0,), (2,), (4,), (7,), (4,), (2,), (0,), (4,))
KINDS: dict[str, Callable[[float, int], Sound]] = {
    "white noise": lambda s, seed: np.random.default_rng(seed).normal(0, 0.1, round(s * RATE_HZ)),
    "440 Hz": lambda s, seed: tones(s, (440,)),
    **{name: (lambda s, seed, name=name: ringing(s, name)) for name in RINGING},
    "chords": lambda s, seed: music(s, seed, steps=TRIAD, beat_s=0.5),
    "chords with drums": lambda s, seed: music(s, seed, steps=TRIAD, beat_s=0.4, base_hz=196, drum=1.0),
    "slow chords": lambda s, seed: music(s, seed, steps=TRIAD, beat_s=1.0, base_hz=175, overtone=0.7, decay=1.5),
    "low chords": lambda s, seed: music(s, seed, steps=TRIAD, beat_s=0.5, base_hz=110, overtone=0.8, decay=4.0),
    "arpeggio": lambda s, seed: music(s, seed, steps=ARPEGGIO, beat_s=0.18, base_hz=262, overtone=0.4, decay=5.0),
    "arpeggio, vibrato 1 %": lambda s, seed: music(s, seed, steps=ARPEGGIO, beat_s=0.22, base_hz=262, vibrato=0.01),
    "arpeggio, vibrato 1.5 %": lambda s, seed: music(s, seed, steps=ARPEGGIO, beat_s=0.22, base_hz=262, vibrato=0.015),
    "arpeggio, vibrato 3 %": lambda s, seed: music(s, seed, steps=ARPEGGIO, beat_s=0.3, base_hz=262, vibrato=0.03),
}
"""Each kind of sound: seconds and a seed to samples in [-1, 1], shape (samples,)."""
