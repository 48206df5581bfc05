"""Speakers told apart by their spectra alone: a last resort where no network is at hand.

Cepstra of a call's speech are gathered by k-means, each speaker gets a mixture of Gaussians, and the best path through
them is found, over and over (as in Reynolds and Torres-Carrasquillo, "Approaches and applications of audio
diarization", 2005). Voices that are alike are confused, and the number of speakers is not found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.audio import Span
from callscope_preprocessing.speakers import Diarization, SpeakerCount, frames_in, turns_of
from callscope_preprocessing.track import Track
from callscope_preprocessing.voices.features import FRAME, HOP, RATE_HZ, log_mel

USUAL_SPEAKERS = 2
BANDS, CEPSTRA = 40, 20
BLOCK_S = 30.0
THINNING = 2
UNIT_S = 0.24
"""Speakers change between units of this length only."""
UNIT_FRAMES = round(UNIT_S * RATE_HZ / HOP / THINNING)
STRETCHES_UNITS = (10, 16)
"""First guesses are made over stretches of each of these lengths; the one that leads to the best path is kept."""
GAUSSIANS = 8
ROUNDS = 8
CHANGE_COST = 60.0
"""What a change of speaker costs, in nats: about ten frames that fit the other better."""
SEEDS = 8
LEAST_VARIANCE = 0.05
TINY = 1e-9
IMPOSSIBLE = -1e9

Units = NDArray[np.float32]
Labels = NDArray[np.intp]


def diarize_by_spectra(track: Track, speech: Sequence[Span], count: SpeakerCount) -> Diarization | None:
    """Who speaks when, within `speech`, one at a time; None where there is too little speech to tell.

    Args:
        track: sound at 16 kHz, any length.
        speech: where there is speech, in order.
        count: how many speakers there can be; as near to two as this allows are assumed.
    """
    units = np.concatenate([np.zeros((0, UNIT_FRAMES, CEPSTRA), np.float32), *_units(track)])
    inside = frames_in(speech, len(units), UNIT_S)
    spoken = units[inside]
    speakers = min(max(USUAL_SPEAKERS, count.least), count.most)
    if len(spoken) < speakers:
        return None
    spoken = (spoken - spoken.mean(axis=(0, 1))) / (spoken.std(axis=(0, 1)) + np.float32(1e-6))
    breaks = np.diff(np.flatnonzero(inside), prepend=0) > 1
    guesses = (_gather(spoken, speakers, units_each) for units_each in STRETCHES_UNITS)
    labels, _ = max((_resegment(spoken, guess, speakers, breaks) for guess in guesses), key=lambda each: each[1])
    active = np.zeros((len(units), speakers), np.bool_)
    active[np.flatnonzero(inside), labels] = True
    order = np.argsort([int(column.argmax()) if column.any() else len(column) for column in active.T])
    turns = turns_of(active[:, order], UNIT_S, track.duration_s)
    return Diarization(turns, turns, "spectra")


def _units(track: Track) -> Iterator[Units]:
    """Cepstra without the first, shape (units, frames, cepstra), the last unit left out where it is not whole."""
    unit = round(UNIT_S * RATE_HZ)
    block = round(BLOCK_S / UNIT_S) * unit
    for first in range(0, track.samples, block):
        pcm = track.read(first, first + block + FRAME - HOP)
        features = log_mel(pcm, BANDS)[: (len(pcm) // unit) * (unit // HOP) : THINNING] @ _cosines()
        whole = min(len(features), block // HOP // THINNING) // UNIT_FRAMES
        yield features[: whole * UNIT_FRAMES].reshape(whole, UNIT_FRAMES, CEPSTRA)


def _cosines() -> Units:
    """The cosine transform from bands to cepstra 1 to 20, shape (bands, cepstra)."""
    bands = (np.arange(BANDS) + 0.5)[:, np.newaxis]
    return np.asarray(np.cos(np.pi / BANDS * bands * np.arange(1, CEPSTRA + 1)), np.float32)


def _gather(units: Units, speakers: int, stretch_units: int) -> Labels:
    """A first guess: k-means over means and spreads of stretches, the best of some beginnings, shape (units,)."""
    stretch = np.arange(len(units)) // stretch_units
    parts = [units[stretch == number].reshape(-1, CEPSTRA) for number in range(int(stretch[-1]) + 1)]
    vectors = np.array([np.concatenate([part.mean(axis=0), part.std(axis=0)]) for part in parts])
    vectors = (vectors - vectors.mean(axis=0)) / (vectors.std(axis=0) + TINY)
    tries = (_k_means(vectors, speakers, np.random.default_rng(seed)) for seed in range(SEEDS))
    labels, _ = min(tries, key=lambda each: each[1])
    return labels[stretch]


def _k_means(vectors: NDArray[np.float64], groups: int, chance: np.random.Generator) -> tuple[Labels, float]:
    """Groups by k-means++, shape (vectors,), and the sum of squares that is left."""
    centres = vectors[chance.integers(len(vectors), size=1)]
    while len(centres) < groups:
        far = ((vectors[:, np.newaxis] - centres) ** 2).sum(axis=2).min(axis=1) + TINY
        centres = np.vstack([centres, vectors[chance.choice(len(vectors), p=far / far.sum())]])
    for _ in range(ROUNDS * 2):
        squares = ((vectors[:, np.newaxis] - centres) ** 2).sum(axis=2)
        labels = squares.argmin(axis=1)
        centres = np.array(
            [vectors[labels == g].mean(axis=0) if (labels == g).any() else centres[g] for g in range(groups)]
        )
    return labels, float(squares.min(axis=1).sum())


@dataclass(frozen=True, slots=True)
class _Mixture:
    """Gaussians of one speaker: weights, shape (gaussians,); means and variances, shape (gaussians, cepstra)."""

    weights: NDArray[np.float64]
    means: NDArray[np.float64]
    variances: NDArray[np.float64]

    def log_likelihood(self, frames: Units) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of each frame, shape (frames,), and of each Gaussian, shape (frames, gaussians)."""
        precision = 1 / self.variances
        constant = np.log(self.weights) - 0.5 * np.log(2 * np.pi * self.variances).sum(axis=1)
        constant = constant - 0.5 * (self.means**2 * precision).sum(axis=1)
        each = constant - 0.5 * (frames**2) @ precision.T + frames @ (self.means * precision).T
        top = each.max(axis=1)
        return top + np.log(np.exp(each - top[:, np.newaxis]).sum(axis=1)), each


def _mixture(frames: Units) -> _Mixture:
    """Fit by expectation and maximisation, from frames far apart in time."""
    picks = np.linspace(0, len(frames) - 1, min(GAUSSIANS, len(frames))).astype(np.intp)
    size = len(picks)
    spread = frames.var(axis=0, dtype=np.float64) + LEAST_VARIANCE
    mixture = _Mixture(np.full(size, 1 / size), frames[picks].astype(np.float64), np.tile(spread, (size, 1)))
    for _ in range(ROUNDS):
        whole, each = mixture.log_likelihood(frames)
        shares = np.exp(each - whole[:, np.newaxis])
        sums = shares.sum(axis=0) + TINY
        means = shares.T @ frames / sums[:, np.newaxis]
        variances = np.maximum(shares.T @ frames**2 / sums[:, np.newaxis] - means**2, LEAST_VARIANCE)
        mixture = _Mixture(sums / sums.sum(), means, variances)
    return mixture


def _resegment(units: Units, labels: Labels, speakers: int, breaks: NDArray[np.bool_]) -> tuple[Labels, float]:
    """Fit a mixture to each speaker and find the best path, until it stays: shape (units,), and its likelihood."""
    frames = units.reshape(-1, CEPSTRA)
    likelihood = -np.inf
    for _ in range(ROUNDS):
        scores = np.full((len(units), speakers), IMPOSSIBLE)
        for speaker in np.unique(labels):
            mixture = _mixture(units[labels == speaker].reshape(-1, CEPSTRA))
            scores[:, speaker] = mixture.log_likelihood(frames)[0].reshape(len(units), -1).sum(axis=1)
        before = labels
        labels, likelihood = _best_path(scores, breaks)
        if (before == labels).all():
            break
    return labels, likelihood


def _best_path(scores: NDArray[np.float64], breaks: NDArray[np.bool_]) -> tuple[Labels, float]:
    """Viterbi over units, and the likelihood of its path; a change costs half as much after a pause."""
    best, came = scores[0], np.zeros(scores.shape, np.intp)
    stay = np.arange(scores.shape[1])
    for number in range(1, len(scores)):
        change = best.max() - CHANGE_COST * (0.5 if breaks[number] else 1.0)
        came[number] = np.where(best >= change, stay, int(best.argmax()))
        best = np.maximum(best, change) + scores[number]
    path = np.zeros(len(scores), np.intp)
    path[-1] = int(best.argmax())
    for number in range(len(scores) - 1, 0, -1):
        path[number - 1] = came[number, path[number]]
    return path, float(best.max())
