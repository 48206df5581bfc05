"""Vectors of voices gathered by speaker, the number of speakers known or found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.speakers import SpeakerCount

ALIKE = 0.5
"""Two groups whose voices are this alike on average (cosine) are one speaker."""
ALIKE_BEYOND_TWO = 0.4
"""The same while there are more than two: most calls are between two people."""
USUAL = 2
LEAST_S = 4.0
LEAST_SHARE = 0.05
"""Who spoke for less than this, in seconds and of all speech, is not told apart when speakers are found."""
MOST_VECTORS = 1000
SHORTEST_S = 1e-3
FAR = -2.0

Vectors = NDArray[np.float32]
Labels = NDArray[np.intp]


def cluster(vectors: Vectors, lengths_s: NDArray[np.float64], count: SpeakerCount) -> Vectors:
    """Find the speakers' voices by average-linkage clustering.

    Args:
        vectors: of length 1, shape (vectors, dimensions); one at least. Of more than 1,000, so many
            are clustered, evenly spread, so that memory is bounded.
        lengths_s: how much speech is in each, shape (vectors,).
        count: how many speakers there can be.

    Returns:
        A mean voice of length 1 for each speaker, shape (speakers, dimensions): fewer than `count.least` only where
        there are fewer vectors.
    """
    if len(vectors) > MOST_VECTORS:
        some = np.linspace(0, len(vectors) - 1, MOST_VECTORS).astype(np.intp)
        vectors, lengths_s = vectors[some], lengths_s[some]
    labels = _partition(vectors, lengths_s, count)
    kept = _large(labels, lengths_s)
    speakers = max(count.least, min(count.most, len(kept)))
    by_length = sorted(set(labels.tolist()), key=lambda label: -float(lengths_s[labels == label].sum()))
    centres = [(vectors[labels == label] * lengths_s[labels == label, np.newaxis]).sum(0) for label in by_length]
    voices = np.asarray(centres[:speakers], np.float32)
    return np.asarray(voices / np.maximum(np.linalg.norm(voices, axis=1, keepdims=True), 1e-9), np.float32)


def nearest(vectors: Vectors, voices: Vectors) -> Labels:
    """The most alike of `voices` for each vector, shape (vectors,)."""
    return np.asarray((vectors @ voices.T).argmax(axis=1), np.intp)


def _large(labels: Labels, lengths_s: NDArray[np.float64]) -> list[int]:
    """The labels that hold enough speech to be speakers."""
    totals_s = np.bincount(labels, lengths_s)
    least_s = min(LEAST_S, LEAST_SHARE * float(totals_s.sum()))
    return np.flatnonzero(totals_s >= max(least_s, SHORTEST_S)).tolist()


@dataclass(frozen=True, slots=True)
class _Step:
    """A partition on the way from every vector for itself to one group.

    Attributes:
        labels: the group of each vector, shape (vectors,).
        large: how many groups are speakers by how much they say.
        alike: how alike the two groups are that would merge next.
    """

    labels: Labels
    large: int
    alike: float


def _partition(vectors: Vectors, lengths_s: NDArray[np.float64], count: SpeakerCount) -> Labels:
    """The groups where no two are alike, or, where these are too few or too many, the nearest step that is right."""
    steps = list(_merge(vectors, lengths_s))
    found = next(place for place, step in enumerate(steps) if step.alike < _limit(step.large))
    if steps[found].large > count.most:
        return next(step.labels for step in steps[found:] if step.large <= count.most)
    if steps[found].large < count.least:
        earlier = (step.labels for step in reversed(steps[:found]) if step.large >= count.least)
        return next(earlier, steps[max(0, len(steps) - count.least)].labels)
    return steps[found].labels


def _limit(large: int) -> float:
    return ALIKE_BEYOND_TWO if large > USUAL else ALIKE


def _merge(vectors: Vectors, lengths_s: NDArray[np.float64]) -> Iterator[_Step]:
    """Merge the two most alike groups, by the average over their pairs, until one is left."""
    labels = np.arange(len(vectors))
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, FAR)
    weights = np.maximum(lengths_s, SHORTEST_S).astype(np.float32)
    for _ in range(len(vectors) - 1):
        first, second = divmod(int(alike.argmax()), len(alike))
        yield _Step(labels.copy(), len(_large(labels, lengths_s)), float(alike[first, second]))
        total = weights[first] + weights[second]
        row = (weights[first] * alike[first] + weights[second] * alike[second]) / total
        alike[second], alike[:, second] = FAR, FAR
        row[[first, second]] = FAR
        alike[first], alike[:, first] = row, row
        weights[first] = total
        labels[labels == second] = first
    yield _Step(labels, len(_large(labels, lengths_s)), FAR)
