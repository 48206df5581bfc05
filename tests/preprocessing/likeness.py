"""How like one sound is to another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST_DELAY_S = 0.3


def correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    frames = min(len(first), len(second))
    return float(np.corrcoef(first[:frames], second[:frames])[0, 1])


def likeness(original: NDArray[np.float32], decoded: NDArray[np.float32], rate_hz: int) -> float:
    """Correlation of the loudness, with up to 100 ms of the delay that some codecs leave."""
    size = rate_hz // 100
    first, second = (
        np.sqrt((sound[: len(sound) // size * size].reshape(-1, size) ** 2).mean(axis=1))
        for sound in (original, decoded)
    )
    return max(correlation(first, second[delay:]) for delay in range(10))


def snr_db(original: NDArray[np.float32], decoded: NDArray[np.float32], rate_hz: int) -> float:
    """Signal to noise of the decoded sound, moved by the delay of the codec, at most 0.3 s either way."""
    reach = round(MOST_DELAY_S * rate_hz)
    size = 1 << (len(original) + len(decoded)).bit_length()
    product = np.fft.irfft(np.fft.rfft(decoded, size) * np.conj(np.fft.rfft(original, size)), size)
    delay = int(np.argmax(np.roll(product, reach)[: 2 * reach + 1])) - reach
    decoded = decoded[delay:] if delay >= 0 else np.pad(decoded, (-delay, 0))
    end = min(len(original), len(decoded)) - reach
    original, decoded = original[reach:end], decoded[reach:end]
    noise = float(((original - decoded) ** 2).sum())
    return float(10 * np.log10(float((original**2).sum()) / max(noise, 1e-30)))
