"""Speakers told apart by their spectra alone: a last resort where no network is at hand.

Cepstra of a call's speech are gathered by k-means, each speaker gets a mixture of Gaussians, and the best path through
them is found, over and over (as in Reynolds and Torres-Carrasquillo, "Approaches and applications of audio
diarization", 2005). Voices that are alike are confused. Of the number of speakers no more is found than whether there
may be two.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.audio import Span
from callscope_preprocessing.cepstra import CEPSTRA, UNIT_S, Units, cepstra_of, normalised
from callscope_preprocessing.mixtures import fit, gain_of_two
from callscope_preprocessing.speakers import Diarization, SpeakerCount, frames_in, turns_of
from callscope_preprocessing.track import Track

USUAL_SPEAKERS = 2
ENOUGH_UNITS = 100
LEAST_GAIN = 0.45
"""Nats a frame by which two Gaussians fit two speakers better than one does; with less, over 24 s of speech and more,
who is who would be as good as drawn by lot even if there were two."""
STRETCHES_UNITS = (10, 16)
"""First guesses are made over stretches of each of these lengths; the one that leads to the best path is kept."""
ROUNDS = 8
CHANGE_COST = 60.0
"""What a change of speaker costs, in nats: about ten frames that fit the other better."""
SEEDS = 8
TINY = 1e-9
IMPOSSIBLE = -1e9

Labels = NDArray[np.intp]


def diarize_by_spectra(track: Track, speech: Sequence[Span], count: SpeakerCount) -> Diarization | None:
    """Who speaks when, within `speech`, one at a time; None where there is too little speech to tell.

    Args:
        track: sound at 16 kHz, any length.
        speech: where there is speech, in order.
        count: how many speakers there can be; as near to two as this allows are assumed, and one where it may be
            one and nothing tells two apart.
    """
    units = cepstra_of(track)
    inside = frames_in(speech, len(units), UNIT_S)
    spoken = units[inside]
    speakers = min(max(USUAL_SPEAKERS, count.least), count.most)
    if len(spoken) < speakers:
        return None
    spoken = normalised(spoken)
    breaks = np.diff(np.flatnonzero(inside), prepend=0) > 1
    labels = _tell_apart(spoken, speakers, breaks)
    if count.least == 1 and _may_be_one(spoken, labels):
        labels = np.zeros(len(spoken), np.intp)
    active = np.zeros((len(units), speakers), np.bool_)
    active[np.flatnonzero(inside), labels] = True
    order = np.argsort([int(column.argmax()) if column.any() else len(column) for column in active.T])
    turns = turns_of(active[:, order], UNIT_S, track.duration_s)
    return Diarization(turns, turns, "spectra")


def _tell_apart(spoken: Units, speakers: int, breaks: NDArray[np.bool_]) -> Labels:
    """Who speaks in each unit, shape (units,)."""
    guesses = (_gather(spoken, speakers, units_each) for units_each in STRETCHES_UNITS)
    labels, _ = max((_resegment(spoken, guess, speakers, breaks) for guess in guesses), key=lambda each: each[1])
    return labels


def _may_be_one(spoken: Units, labels: Labels) -> bool:
    """Whether two speakers differ by no more than what one says now and then."""
    if len(spoken) < ENOUGH_UNITS or labels.max() > 1:
        return False
    parts = [spoken[labels == speaker].reshape(-1, CEPSTRA) for speaker in (0, 1)]
    return min(map(len, parts)) == 0 or gain_of_two(*parts) < LEAST_GAIN


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


def _resegment(units: Units, labels: Labels, speakers: int, breaks: NDArray[np.bool_]) -> tuple[Labels, float]:
    """Fit a mixture to each speaker and find the best path, until it stays: shape (units,), and its likelihood."""
    frames = units.reshape(-1, CEPSTRA)
    likelihood = -np.inf
    for _ in range(ROUNDS):
        scores = np.full((len(units), speakers), IMPOSSIBLE)
        for speaker in np.unique(labels):
            mixture = fit(units[labels == speaker].reshape(-1, CEPSTRA))
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
