"""The power spectrum of the frames of a window, as a graph.

A quiet bin beside a loud one is a small difference of large sums, and in single precision their rounding shows in the
logarithm. The sums are therefore in double precision; folding leaves them a quarter of the products:

    cos k(N - n) =  cos kn    sin k(N - n) = -sin kn     (angles in units of 2 pi / N)
    cos k(N/2 - n) = +cos kn  sin k(N/2 - n) = -sin kn   for even k, and with the other signs for odd k

so that only n from 0 to N/4 stay, for even and odd bins apart. Sums and differences of samples are whole numbers
below 2**18, which single precision holds as they are, and the window is symmetric.
"""

from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from .frames import Frames
from .graph import GraphBuilder
from .whisper import MelSettings

Matrix = NDArray[np.float64]
FULL_SCALE = 32768.0
_SIGNS = (("Add", np.cos, ("Add", "Sub")), ("Sub", np.sin, ("Sub", "Add")))
"""How to fold for cosines and for sines: first, and then for even and for odd bins."""


@dataclass(frozen=True, slots=True)
class Bins:
    """Some bins of the power spectrum: which, and the name of their values, FP32 of shape (batch, len(which), F)."""

    which: slice
    power: str


def power_spectrum(graph: GraphBuilder, samples: str, settings: MelSettings) -> list[Bins]:
    """Compute the power spectrum of windowed frames, for full scale 1.0.

    Args:
        graph: Where to.
        samples: Whole numbers of 16 bits as FP32, shape (batch, S).
        settings: Of frames and transform.

    Returns:
        All bins from 0 to fft_samples // 2, in parts.
    """
    frames = Frames(graph, samples, settings)
    if settings.fft_samples % 2:
        return [_unfolded(graph, frames, settings.fft_samples)]
    return _folded(graph, frames, settings.fft_samples)


def _folded(graph: GraphBuilder, frames: Frames, size: int) -> list[Bins]:
    """Transform frames of an even size; `left` are samples 0 to N/4 with their images, `right` N/2 down to N/4."""
    half, count = size // 2, size // 4 + 1
    left = frames.forward(0, count), frames.backward(size, count)
    right = frames.backward(half, count), frames.forward(half, count)
    windows = [graph.constant(window.astype(np.float32)) for window in _folded_windows(size)]
    squares: list[list[str]] = [[], []]
    for first, wave, second in _SIGNS:
        parts = [
            graph.op("Mul", graph.op(first, *pair), window) for pair, window in zip((left, right), windows, strict=True)
        ]
        for parity, sign in enumerate(second):
            basis = wave(2 * np.pi / size * _products(np.arange(parity, half + 1, 2), count, size))
            squares[parity].append(_square(graph, basis, graph.op(sign, *parts)))
    return [Bins(slice(parity, None, 2), graph.op("Add", *both)) for parity, both in enumerate(squares)]


def _folded_windows(size: int) -> tuple[Matrix, Matrix]:
    """Give the weights of `left` and `right`, each of shape (size // 4 + 1, 1).

    A sample that is its own image comes twice. Sample N, which is none of the frame, has the weight 0.
    """
    time = np.arange(size // 4 + 1)[:, np.newaxis]
    share = np.where((time == 0) | (4 * time == size), 0.5, 1.0) / FULL_SCALE
    window = _window(time, size)
    return window * share, (1 - window) * share


def _unfolded(graph: GraphBuilder, frames: Frames, size: int) -> Bins:
    """Transform frames of an odd size, which has no middle to fold at."""
    phase = 2 * np.pi / size * _products(np.arange(size // 2 + 1), size, size)
    window, whole = _window(np.arange(size), size) / FULL_SCALE, frames.forward(0, size)
    squares = [_square(graph, wave(phase) * window, whole) for wave in (np.cos, np.sin)]
    return Bins(slice(None), graph.op("Add", *squares))


def _square(graph: GraphBuilder, basis: Matrix, samples: str) -> str:
    """Transform in double precision, and square."""
    exact = graph.op("Cast", samples, to=onnx.TensorProto.DOUBLE)
    sums = graph.op("Cast", graph.op("MatMul", graph.constant(basis), exact), to=onnx.TensorProto.FLOAT)
    return graph.op("Mul", sums, sums)


def _products(bins: NDArray[np.int64], count: int, size: int) -> NDArray[np.int64]:
    """Multiply bins and times, modulo a turn, so that no angle is large: shape (bins, count)."""
    return np.outer(bins, np.arange(count)) % size


def _window(time: NDArray[np.int64], size: int) -> Matrix:
    """Hann's window, periodic."""
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * time / size))
