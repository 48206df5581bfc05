"""Cutting utterances into words, and joining examples; in Korean, whose sounds need no synthesizer."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the recipe trains with torch: run `make test-referee`")

from demo.recipe import corpus, shards, sounds

TEXT = "요금이 너무 비싸요"
LETTERS = sounds.sounds(TEXT, "ko")
STARTS = np.arange(len(LETTERS) + 1) * 4 + 3
SAMPLES = np.arange(1, (int(STARTS[-1]) + 3) * corpus.SAMPLES_PER_STATE + 1, dtype=np.int16)
UTTERANCE = shards.Utterance(SAMPLES, TEXT, "ko", "espeak-ng/f5")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    np.savez(
        tmp_path / "train-ko-0000.npz",
        samples=np.concatenate([SAMPLES, SAMPLES]),
        lengths=np.array([len(SAMPLES)] * 2),
        about=np.array(json.dumps([(TEXT, UTTERANCE.voice)] * 2)),
    )
    return tmp_path


def test_words_share_out_text_letters_and_samples() -> None:
    words = corpus.words(UTTERANCE, STARTS)
    assert [word.text for word in words] == TEXT.split()
    assert sum((word.sounds for word in words), ()) == LETTERS
    np.testing.assert_array_equal(np.concatenate([word.samples for word in words]), SAMPLES)
    for word in words:
        assert (word.places[0], word.places[-1], len(word.places)) == (0, len(word.sounds), len(word.text) + 1)


def test_words_are_cut_between_their_letters() -> None:
    first, second, _ = corpus.words(UTTERANCE, STARTS)
    last, following = len(first.sounds) - 1, len(first.sounds)
    cut = len(first.samples) / corpus.SAMPLES_PER_STATE
    assert STARTS[last] < cut < STARTS[following]
    assert first.samples[-1] + 1 == second.samples[0]


def test_examples_write_down_what_is_spoken(folder: Path) -> None:
    made = corpus.Corpus(folder, random.Random(1))
    made.joined = True
    made.cut([STARTS, STARTS])
    examples = [example for _ in range(200) if (example := made.draw()).text]
    assert len({example.text for example in examples}) > 10
    for example in examples:
        assert example.sounds == sounds.sounds(example.text, "ko")
        np.testing.assert_allclose(example.places, sounds.places(example.text, "ko"))
        assert corpus.bucket_s(example) <= corpus.BUCKETS_S[-1]


def test_batches_hold_no_more_than_asked_for() -> None:
    rng = np.random.default_rng(1)
    examples = [corpus.Example(np.zeros(int(length), np.float32), "", "ko") for length in rng.uniform(1, 128_000, 300)]
    batches = corpus.packed(examples, 32.0)
    assert sum(map(len, batches)) == 300
    assert max(len(batch) * max(map(corpus.bucket_s, batch)) for batch in batches) <= 32.0
