"""Mixtures of Gaussians fitted to the cepstra of a speaker, and how much better two of them fit than one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GAUSSIANS = 8
ROUNDS = 8
LEAST_VARIANCE = 0.05
SMALL_VARIANCE = 1e-3
TINY = 1e-9

Frames = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Mixture:
    """Gaussians of one speaker: weights, shape (gaussians,); means and variances, shape (gaussians, cepstra)."""

    weights: NDArray[np.float64]
    means: NDArray[np.float64]
    variances: NDArray[np.float64]

    def log_likelihood(self, frames: Frames) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of each frame, shape (frames,), and of each Gaussian, shape (frames, gaussians)."""
        precision = 1 / self.variances
        constant = np.log(self.weights) - 0.5 * np.log(2 * np.pi * self.variances).sum(axis=1)
        constant = constant - 0.5 * (self.means**2 * precision).sum(axis=1)
        each = constant - 0.5 * (frames**2) @ precision.T + frames @ (self.means * precision).T
        top = each.max(axis=1)
        return top + np.log(np.exp(each - top[:, np.newaxis]).sum(axis=1)), each


def fit(frames: Frames) -> Mixture:
    """A mixture for frames, shape (frames, cepstra), by expectation and maximisation from frames far apart in time."""
    picks = np.linspace(0, len(frames) - 1, min(GAUSSIANS, len(frames))).astype(np.intp)
    size = len(picks)
    spread = frames.var(axis=0, dtype=np.float64) + LEAST_VARIANCE
    mixture = Mixture(np.full(size, 1 / size), frames[picks].astype(np.float64), np.tile(spread, (size, 1)))
    for _ in range(ROUNDS):
        whole, each = mixture.log_likelihood(frames)
        shares = np.exp(each - whole[:, np.newaxis])
        sums = shares.sum(axis=0) + TINY
        means = shares.T @ frames / sums[:, np.newaxis]
        variances = np.maximum(shares.T @ frames**2 / sums[:, np.newaxis] - means**2, LEAST_VARIANCE)
        mixture = Mixture(sums / sums.sum(), means, variances)
    return mixture


def gain_of_two(first: Frames, second: Frames) -> float:
    """How much better a Gaussian for each of two sets of frames fits them than one for both.

    Half the difference of the logarithms of the determinants (Chen and Gopalakrishnan, "Speaker, environment and
    channel change detection and clustering via the Bayesian information criterion", 1998), without its penalty.

    Args:
        first: shape (frames, cepstra), one frame at least.
        second: the same.

    Returns:
        Nats a frame, 0 or more.
    """
    both = np.concatenate([first, second])
    return (_spread(both) - _spread(first) - _spread(second)) / len(both)


def _spread(frames: Frames) -> float:
    """The frames' number times half the logarithm of the determinant of their covariance."""
    mean = frames.mean(axis=0, dtype=np.float64)
    covariance = frames.T @ frames / len(frames) - np.outer(mean, mean) + SMALL_VARIANCE * np.eye(frames.shape[1])
    return 0.5 * len(frames) * float(np.linalg.slogdet(covariance)[1])
