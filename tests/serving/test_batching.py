"""Triton runs requests together, and nobody's words change because of it."""

from __future__ import annotations

import re
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tokenizers import Tokenizer

from ..repository_files import parameters, read_config
from .asking import AskAll, Tensors

if TYPE_CHECKING:
    from callscope_server.launcher import TritonServer

COUNTER = re.compile(r'^(nv_inference_count|nv_inference_exec_count)\{model="([^"]+)".*\} (\d+)$', re.MULTILINE)


def counters(triton: TritonServer) -> dict[tuple[str, str], int]:
    """(metric, model) -> count, from the metrics endpoint."""
    with urllib.request.urlopen(f"http://{triton.endpoints.metrics}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {(metric, model): int(count) for metric, model, count in COUNTER.findall(text)}


def grown(before: dict[tuple[str, str], int], triton: TritonServer, model: str, *, sent: int) -> tuple[int, int]:
    """(inferences, executions) of a model since `before`; Triton books a request a moment after it has answered."""
    names = ("nv_inference_count", "nv_inference_exec_count")
    until_s = time.monotonic() + 5
    while True:
        after = counters(triton)
        inferences, executions = (after[name, model] - before[name, model] for name in names)
        if inferences >= sent or time.monotonic() > until_s:
            return inferences, executions
        time.sleep(0.05)


@pytest.fixture(scope="module")
def tokenizer(repository: Path, ask_all: AskAll) -> Tokenizer:
    size = int(parameters(read_config(repository, "whisper_tokenizer"))["size_bytes"])
    place = {"offset": np.array([0], np.int64), "length": np.array([size], np.int64)}
    (answer,) = ask_all("whisper_tokenizer", [place])
    return Tokenizer.from_buffer(answer["bytes"].tobytes())


def test_sixteen_requests_at_once_take_less_than_half_as_many_runs_of_the_decoder(
    ask_all: AskAll, requests: list[Tensors], triton: TritonServer
) -> None:
    ask_all("transcribe", requests[:1])
    before = counters(triton)
    ask_all("transcribe", requests[:16], at_once=16)
    inferences, executions = grown(before, triton, "whisper_decoder", sent=16)
    assert inferences == 16
    assert executions < inferences / 2


def test_fifty_utterances_have_the_same_words_alone_and_all_at_once(
    ask_all: AskAll, requests: list[Tensors], alone: list[Tensors], tokenizer: Tokenizer, triton: TritonServer
) -> None:
    before = counters(triton)
    together = ask_all("transcribe", requests, at_once=len(requests))
    inferences, executions = grown(before, triton, "whisper_decoder", sent=len(requests))
    assert executions < inferences == len(requests), "some must have run together for this test to mean something"
    texts = [[tokenizer.decode(answer["tokens"][0].tolist()) for answer in answers] for answers in (alone, together)]
    assert [pair for pair in zip(*texts, strict=True) if pair[0] != pair[1]] == []
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one["tokens"], other["tokens"])
        np.testing.assert_array_equal(one["chosen_language"], other["chosen_language"])
        np.testing.assert_allclose(one["logprobs"], other["logprobs"], atol=1e-3)
    assert len(set(texts[0])) > len(requests) / 2, "they must differ for this test to mean something"
