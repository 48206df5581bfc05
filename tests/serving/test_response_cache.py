"""Triton's own cache of answers: the text models' as exported, in the server that `callscope serve` starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ..client.triton.running import count
from ..repository_files import read_config
from .asking import AskAll, Tensors

if TYPE_CHECKING:
    from pathlib import Path

    from callscope_server.launcher import TritonServer

HITS, MISSES = "nv_cache_num_hits_per_model", "nv_cache_num_misses_per_model"


def text(seed: int) -> Tensors:
    """A text that no other test asks about."""
    ids = np.random.default_rng(seed).integers(5, 200, (1, 32), np.int64)
    return {"input_ids": ids, "attention_mask": np.ones_like(ids)}


@pytest.mark.parametrize("model", ["sentiment", "punctuate"])
def test_a_text_that_was_asked_about_before_is_answered_from_the_cache_and_alike(
    triton: TritonServer, ask_all: AskAll, model: str
) -> None:
    before = count(triton, HITS, model), count(triton, MISSES, model)
    runs = count(triton, "nv_inference_exec_count", model)
    (first,) = ask_all(model, [text(71)])
    again = ask_all(model, [text(71)] * 3)
    (other,) = ask_all(model, [text(72)])
    assert all(np.array_equal(each["logits"], first["logits"]) for each in again)
    assert not np.array_equal(other["logits"], first["logits"])
    assert (count(triton, HITS, model), count(triton, MISSES, model)) == (before[0] + 3, before[1] + 2)
    assert count(triton, "nv_inference_exec_count", model) == runs + 2


@pytest.mark.parametrize("model", ["log_mel", "whisper_encoder", "whisper_decoder", "transcribe"])
def test_sound_is_never_the_same_twice_and_takes_no_room_in_it(repository: Path, model: str) -> None:
    assert not read_config(repository, model).response_cache.enable
