"""Small random checkpoints in Hugging Face's layout, written without torch."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from .random_checkpoint import TinyWhisper, write_bert, write_whisper

MakeWhisper = Callable[..., Path]


@pytest.fixture(scope="session")
def multilingual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of three languages, with 80 mel bins."""
    return write_whisper(tmp_path_factory.mktemp("multilingual"), TinyWhisper())


@pytest.fixture(scope="session")
def english_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An English-only checkpoint with 128 mel bins, and a width that blocks of 32 do not divide."""
    tiny = TinyWhisper(languages=(), mel_bins=128, width=48, heads=3, seed=1)
    return write_whisper(tmp_path_factory.mktemp("english_only"), tiny)


@pytest.fixture(scope="session")
def token_classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT that labels tokens."""
    return write_bert(tmp_path_factory.mktemp("token_classifier"), labels=("O", "COMMA", "PERIOD", "QUESTION"))


@pytest.fixture(scope="session")
def text_classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT that labels texts."""
    labels = ("positive", "negative", "neutral")
    return write_bert(tmp_path_factory.mktemp("text_classifier"), labels=labels, per_token=False)


@pytest.fixture
def rng() -> Iterator[np.random.Generator]:
    """Numbers that are the same in every run."""
    yield np.random.default_rng(7)
