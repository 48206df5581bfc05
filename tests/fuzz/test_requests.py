"""Requests that make no sense, to a real Triton: it refuses them, lives, and answers the next that does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from callscope.errors import CallscopeError
from callscope.triton.resilient import connect_all
from callscope.triton.retrying import Policy
from callscope.triton.transport import Transport

from .amount import examples

if TYPE_CHECKING:
    from callscope_server.launcher import TritonServer

ONCE = Policy(attempts=1, first_attempts=1, fault_attempts=1, patience_s=0.0)
MODELS = (
    "transcribe",
    "log_mel",
    "whisper_encoder",
    "whisper_decoder",
    "punctuate",
    "sentiment",
    "whisper_tokenizer",
    "",
)
NAMES = ("audio", "language", "task", "max_tokens", "temperature", "text", "mel", "states", "context", "x", "")
OUTPUTS = ("tokens", "logits", "mel", "y", "")
GOOD = {"input_ids": np.array([[2, 40, 41, 3]]), "attention_mask": np.ones((1, 4), np.int64)}

kinds = st.sampled_from(["i1", "i2", "i4", "i8", "u1", "u8", "f2", "f4", "f8", "?"])
shapes = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=40)
numbers = st.builds(lambda kind, shape: np.zeros(shape, kind), kinds, shapes) | arrays.arrays("f4", shapes)
texts = st.lists(st.text(max_size=20) | st.binary(max_size=20), min_size=1, max_size=3).map(
    lambda said: np.array([said], np.object_)
)
tensors = st.dictionaries(st.sampled_from(NAMES), numbers | texts, max_size=5)
options = {name: np.array([[-1]], np.int32) for name in ("language", "task")}
nearly = st.builds(
    lambda kind, count, most, temperature: {
        "audio": np.zeros((1, count), kind),
        **options,
        "max_tokens": np.array([[most]], np.int32),
        "temperature": np.array([[temperature]], np.float32),
    },
    st.sampled_from(["i2", "f4"]),
    st.sampled_from([0, 1, 127_999, 128_000, 128_001]),
    st.integers(-(2**31), 2**31 - 1),
    st.floats(width=32),
)


@pytest.fixture(scope="module")
def asked(triton: TritonServer) -> Iterator[tuple[asyncio.AbstractEventLoop, dict[str, Transport]]]:
    """A loop, and a transport over each protocol."""
    loop = asyncio.new_event_loop()
    places = {"grpc": triton.endpoints.grpc, "http": triton.endpoints.http}

    async def connected() -> dict[str, Transport]:
        return {name: connect_all(f"{name}://{place}", timeout_s=20, policy=ONCE) for name, place in places.items()}

    transports = loop.run_until_complete(connected())
    yield loop, transports
    for transport in transports.values():
        loop.run_until_complete(transport.close())
    loop.close()


@examples(2000)
@given(
    scheme=st.sampled_from(["grpc", "http"]),
    model=st.sampled_from(MODELS),
    inputs=tensors | nearly,
    outputs=st.none() | st.lists(st.sampled_from(OUTPUTS), max_size=2),
)
def test_no_request_ends_the_server(
    asked: tuple[asyncio.AbstractEventLoop, dict[str, Transport]],
    scheme: str,
    model: str,
    inputs: dict[str, Any],
    outputs: list[str] | None,
) -> None:
    loop, transports = asked
    try:
        loop.run_until_complete(transports[scheme].infer(model, inputs, outputs=outputs))
    except CallscopeError as error:
        assert str(error).count(". ") >= 1
    answer = loop.run_until_complete(transports[scheme].infer("sentiment", GOOD, timeout_s=60))
    assert np.isfinite(answer["logits"]).all()
