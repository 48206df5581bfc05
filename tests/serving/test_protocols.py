"""gRPC and HTTP are two ways to the same answer."""

from __future__ import annotations

import asyncio
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from callscope.triton.text_model import encode, fetch_text_model
from callscope.triton.transport import connect

from ..repository_files import parameters, read_config
from .asking import AskAll, Tensors

if TYPE_CHECKING:
    from callscope_server.launcher import TritonServer

WIRES = ("grpc", "http")
TOKENIZERS = ("whisper_tokenizer", "punctuate_tokenizer", "sentiment_tokenizer")
WINDOWS = 12
PAGE_BYTES = 40_000


def assert_identical(one: list[Tensors], other: list[Tensors]) -> None:
    assert len(one) == len(other) > 0
    for first, second in zip(one, other, strict=True):
        assert first.keys() == second.keys()
        for name, array in first.items():
            assert array.dtype == second[name].dtype
            np.testing.assert_array_equal(array, second[name])


@pytest.fixture(scope="module")
def sentences(demo_calls: Path) -> list[str]:
    """What is said in the three demo calls."""
    scripts = sorted(demo_calls.glob("*.toml"))
    turns = [turn for script in scripts for turn in tomllib.loads(script.read_text(encoding="utf-8"))["turn"]]
    return [text for turn in turns for text, _ in turn["sentences"]]


def encoded(triton: TritonServer, model: str, texts: list[str]) -> list[Tensors]:
    async def encode_all() -> list[Tensors]:
        transport = connect(f"grpc://{triton.endpoints.grpc}")
        try:
            served = await fetch_text_model(transport, model)
            return [dict(encode(served, text).inputs) for text in texts]
        finally:
            await transport.close()

    return asyncio.run(encode_all())


def test_transcripts_are_identical_with_their_evidence(ask_all: AskAll, requests: list[Tensors]) -> None:
    over_grpc, over_http = (ask_all("transcribe", requests[:WINDOWS], wire=wire) for wire in WIRES)
    assert_identical(over_grpc, over_http)
    assert len({answer["tokens"].tobytes() for answer in over_grpc}) > WINDOWS / 2, "they must differ to mean something"


@pytest.mark.parametrize("model", ["punctuate", "sentiment"])
def test_classifiers_of_text_answer_identically(
    ask_all: AskAll, triton: TritonServer, sentences: list[str], model: str
) -> None:
    """Half of the texts go over HTTP first: the response cache answers whoever comes second."""
    inputs = encoded(triton, model, sentences)
    half = len(inputs) // 2
    asked_first = ask_all(model, inputs[:half], wire="http") + ask_all(model, inputs[half:], wire="grpc")
    asked_second = ask_all(model, inputs[:half], wire="grpc") + ask_all(model, inputs[half:], wire="http")
    assert_identical(asked_first, asked_second)
    assert len({answer["logits"].tobytes() for answer in asked_first}) > half


@pytest.mark.parametrize("model", TOKENIZERS)
def test_tokenizers_come_in_the_same_bytes(ask_all: AskAll, repository: Path, model: str) -> None:
    size = int(parameters(read_config(repository, model))["size_bytes"])
    places = [
        {"offset": np.array([offset], np.int64), "length": np.array([PAGE_BYTES], np.int64)}
        for offset in range(0, size, PAGE_BYTES)
    ]
    over_grpc, over_http = (ask_all(model, places, wire=wire) for wire in WIRES)
    assert_identical(over_grpc, over_http)
    assert sum(answer["bytes"].size for answer in over_grpc) == size
