"""Voices gathered by speaker."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from callscope_preprocessing.clustering import cluster, nearest
from callscope_preprocessing.speakers import ANY_COUNT, SpeakerCount, parse_speakers


def voices(counts: list[int], *, spread: float = 0.05, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Vectors around as many directions as there are counts, and whose each is."""
    random = np.random.default_rng(seed)
    centres = np.linalg.qr(random.normal(size=(64, 64)))[0][: len(counts)]
    whose = np.repeat(np.arange(len(counts)), counts)
    vectors = centres[whose] + random.normal(0, spread, (len(whose), 64))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), whose


@pytest.mark.parametrize("counts", [[30], [30, 30], [40, 10], [20, 20, 20], [10, 10, 10, 10]])
def test_the_number_of_speakers_is_found(counts: list[int]) -> None:
    vectors, whose = voices(counts)
    found = cluster(vectors, np.full(len(vectors), 2.0), ANY_COUNT)
    assert len(found) == len(counts)
    labels = nearest(vectors, found)
    assert len({(one, other) for one, other in zip(whose, labels, strict=True)}) == len(counts)


def test_a_given_number_is_kept_to() -> None:
    vectors, _ = voices([20, 20, 20])
    lengths_s = np.full(len(vectors), 2.0)
    for count in (1, 2, 3, 4):
        assert len(cluster(vectors, lengths_s, SpeakerCount(count, count))) == count
    assert len(cluster(vectors, lengths_s, SpeakerCount(1, 2))) == 2
    assert len(cluster(vectors, lengths_s, SpeakerCount(4, 6))) == 4


def test_a_cough_makes_no_speaker() -> None:
    vectors, _ = voices([30, 30, 1])
    assert len(cluster(vectors, np.full(len(vectors), 2.0), ANY_COUNT)) == 2


def test_one_vector_is_one_speaker() -> None:
    vectors, _ = voices([1])
    assert len(cluster(vectors, np.array([0.3]), SpeakerCount(2, 2))) == 1


def test_of_many_vectors_those_of_the_whole_call_count() -> None:
    vectors, _ = voices([1200, 1200])
    assert len(cluster(vectors, np.full(len(vectors), 2.0), ANY_COUNT)) == 2


@pytest.mark.parametrize(("text", "least", "most"), [("2", 2, 2), ("2-4", 2, 4), (" 1 - 3 ", 1, 3)])
def test_numbers_of_speakers_are_read(text: str, least: int, most: int) -> None:
    assert parse_speakers(text) == SpeakerCount(least, most)


@pytest.mark.parametrize("text", ["", "two", "0", "4-2", "2-", "-2", "1-99"])
def test_other_numbers_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"number"):
        parse_speakers(text)
