"""The demo recipe's forced alignment, against every possible path."""

from __future__ import annotations

from itertools import groupby, product

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch", reason="the recipe trains with torch: run `make test-referee`")

import torch
from demo.recipe import guide
from demo.recipe.sounds import BLANK
from transformers import WhisperConfig, WhisperForConditionalGeneration

STATES = 7


def every_path(log_probabilities: NDArray[np.float64], letters: tuple[int, ...]) -> list[int]:
    """The starts on the best of all paths that spell the letters, found by trying each one."""
    paths = (
        path
        for path in product(sorted({*letters, BLANK}), repeat=STATES)
        if tuple(letter for letter, _ in groupby(path) if letter != BLANK) == letters
    )
    best = max(paths, key=lambda path: sum(log_probabilities[state, letter] for state, letter in enumerate(path)))
    starts, state = [], 0
    for letter, run in groupby(best):
        if letter != BLANK:
            starts.append(state)
            end = state + len(list(run))
            state = end
        else:
            state += len(list(run))
    return [*starts, end if starts else 0]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rows", [[(3, 4, 4), (1,)], [(5, 5), (2, 3, 2)], [(), (7,)]])
def test_the_best_path_is_the_best_of_all(rows: list[tuple[int, ...]], seed: int) -> None:
    """Rows of different lengths in one batch, repeated letters, and a row without letters."""
    rng = np.random.default_rng(seed)
    log_probabilities = np.log(rng.dirichlet(np.full(BLANK + 1, 0.3), size=(len(rows), STATES)) + 1e-9)
    found = guide.best_path(log_probabilities.astype(np.float32), rows)
    for starts, row, letters in zip(found, log_probabilities, rows, strict=True):
        assert starts.tolist() == every_path(row, letters)


def test_spans_cover_the_silence_and_each_token() -> None:
    """Two tokens of three letters that start at states 4, 6 and 9 and end at 12, in a window of 20 states."""
    spans = guide.spans(np.array([4, 6, 9, 12]), [(0.0, 1.0), (1.0, 3.0)], states=20)
    whole = spans[:, guide.KINDS.index("whole")]
    assert whole.tolist() == [[0, 4], [4, 6], [6, 12], [12, 20]]


def test_spans_know_the_letters_of_a_token() -> None:
    """The second token's letters, and what follows it in place of a third."""
    spans = guide.spans(np.array([4, 6, 9, 12]), [(0.0, 1.0), (1.0, 3.0)], states=20)
    letters = {kind: spans[2, place].tolist() for place, kind in enumerate(guide.KINDS)}
    assert letters == {"whole": [6, 12], "first": [6, 9], "second": [9, 12], "third": [12, 17], "last": [9, 12]}


def test_a_token_without_sound_still_has_a_place() -> None:
    """A token of no letters (a space) points at one state at least."""
    spans = guide.spans(np.array([4, 6]), [(1.0, 1.0)], states=8)
    assert (spans[..., 1] > spans[..., 0]).all()
    assert spans[1, 0].tolist() == [6, 7]


def neighbours_seen(offset: int) -> float:
    """The loss of an encoder whose every head looks `offset` states away and nowhere else."""
    layers, states, heads = len(guide.NEIGHBOURS), 24, 4
    config = WhisperConfig(
        vocab_size=64,
        d_model=heads * 32,
        encoder_layers=layers,
        decoder_layers=layers,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        **dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"), 1),
    )
    watcher = guide.Guide(WhisperForConditionalGeneration(config))
    for attention in watcher.encoder:
        marks = torch.eye(states, 32).repeat(1, heads)
        watcher.seen[attention.k_proj] = marks[None]
        watcher.seen[attention.q_proj] = 100 * marks.roll(-offset, 0)[None]
    return float(watcher.neighbour_loss())


def test_an_encoder_that_looks_at_its_neighbours_has_less_loss() -> None:
    """No offset suits every taught head, but one among the taught ones suits some, and a far one none."""
    taught = {offset for layer in guide.NEIGHBOURS for offset in layer}
    far = neighbours_seen(12)
    assert all(neighbours_seen(offset) < 0.95 * far for offset in taught)
