"""Windows cut out of recordings at any place, and what happens to sound on its way: the material of a comparison."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import soxr
from numpy.typing import NDArray

from bench.sound import RATE_HZ

PHONE_HZ = 8_000
LOUDEST = 32_767
Sound = NDArray[np.float64]
Change = Callable[[Sound, np.random.Generator], Sound]


def cuts(sound: NDArray[np.int16], count: int, samples: int, seed: int = 0) -> NDArray[np.int16]:
    """Cut windows at random places, each changed in its turn in one of the ways of `CHANGES`.

    Args:
        sound: Shape (samples of it all,), 16 kHz.
        count: How many windows.
        samples: The length of each.
        seed: Of all that is random.

    Returns:
        Shape (count, samples).
    """
    rng = np.random.default_rng(seed)
    joined = np.resize(sound, max(len(sound), samples + 1))
    starts = rng.integers(0, len(joined) - samples, count)
    changes = list(CHANGES.values())
    windows = [
        changes[number % len(changes)](joined[start : start + samples].astype(np.float64), rng)
        for number, start in enumerate(starts)
    ]
    return np.rint(np.clip(windows, -LOUDEST - 1, LOUDEST)).astype(np.int16)


def _as_it_is(window: Sound, _rng: np.random.Generator) -> Sound:
    return window


def _narrowband(window: Sound, _rng: np.random.Generator) -> Sound:
    phone = soxr.resample(window, RATE_HZ, PHONE_HZ)
    return np.asarray(np.resize(soxr.resample(phone, PHONE_HZ, RATE_HZ), len(window)))


def _noisy(window: Sound, rng: np.random.Generator) -> Sound:
    """Add white noise, at most 20 dB below the sound and at least as loud."""
    loudness = max(1.0, float(np.sqrt(np.mean(window**2))))
    return window + rng.normal(0, loudness * 10 ** (-rng.uniform(0, 20) / 20), len(window))


def _quiet(window: Sound, rng: np.random.Generator) -> Sound:
    return window * 10 ** (-rng.uniform(20, 50) / 20)


def _loud(window: Sound, _rng: np.random.Generator) -> Sound:
    """Amplify until the loudest tenth is clipped."""
    return window * (LOUDEST / max(1.0, float(np.quantile(np.abs(window), 0.9))))


def _short(window: Sound, rng: np.random.Generator) -> Sound:
    """Speech, then the silence that fills a window up."""
    return np.where(np.arange(len(window)) < rng.integers(len(window) // 20, len(window)), window, 0)


def _silent(window: Sound, rng: np.random.Generator) -> Sound:
    """Nothing at all, or the hiss of a line: a few steps of the converter."""
    return rng.normal(0, rng.integers(0, 3), len(window))


CHANGES: dict[str, Change] = {
    "as it is": _as_it_is,
    "narrowband": _narrowband,
    "noisy": _noisy,
    "quiet": _quiet,
    "loud": _loud,
    "short": _short,
    "as it is, again": _as_it_is,
    "silent": _silent,
}
