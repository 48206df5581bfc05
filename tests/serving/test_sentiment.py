"""Sentiment from a real Triton: run together, and from whatever classifier was exported."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer

from callscope.call import Sentiment
from callscope.triton.concurrency import map_concurrently
from callscope.triton.sentiment import SentimentModel
from callscope.triton.transport import connect
from callscope_export import export_classifier
from callscope_server import TritonServer

from ..export.random_checkpoint import write_bert
from ..export.test_classifier import host_logits
from ..referee.host_loop import softmax
from .test_batching import counters, grown

if TYPE_CHECKING:
    from callscope_server.environment import Environment

SENTENCES = (
    "My line has been down since Monday.",
    "Thank you, that was very helpful.",
    "네, 알겠습니다.",
    "배송이 너무 늦어요.",
    "対応が遅くて困っています。",
    "Could you spell your name?",
)
FIVE = ("very positive", "negative", "neutral", "very negative", "positive")
POLARITY = (1.0, -0.5, 0.0, -1.0, 0.5)


async def classified(triton: TritonServer, texts: Sequence[str], at_once: int) -> tuple[Sentiment, ...]:
    transport = connect(f"grpc://{triton.endpoints.grpc}")
    try:
        model = await SentimentModel.from_server(transport)
        return await map_concurrently(model.classify, texts, limit=at_once)
    finally:
        await transport.close()


def test_the_sentences_of_a_call_run_together_and_those_said_before_not_again(triton: TritonServer) -> None:
    texts = [" ".join(pair) for pair in permutations(SENTENCES, 2)]
    before = counters(triton)
    first = asyncio.run(classified(triton, texts, at_once=16))
    inferences, executions = grown(before, triton, "sentiment", sent=len(texts))
    assert executions < inferences == len(texts), "the cache must not know these texts for this test to mean something"
    assert asyncio.run(classified(triton, texts, at_once=1)) == first
    assert grown(before, triton, "sentiment", sent=len(texts)) == (inferences, executions)


@pytest.fixture(scope="module")
def five_labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with five labels, in no order."""
    return write_bert(tmp_path_factory.mktemp("five"), labels=FIVE, per_token=False)


def test_a_classifier_of_five_labels_is_exported_served_and_understood(
    five_labels: Path, tmp_path: Path, server_environment: Environment
) -> None:
    export_classifier(five_labels, tmp_path / "models", name="sentiment", precision="fp32")
    texts = ("thank you for calling", "my line has been down since monday", "how can i help")
    with TritonServer(tmp_path / "models", environment=server_environment) as server:
        heard = asyncio.run(classified(server, texts, at_once=3))
    for text, sentiment in zip(texts, heard, strict=True):
        expected = _by_hand(five_labels, text)
        assert sentiment.probabilities["positive"] == pytest.approx(expected[0] + expected[4], abs=1e-3)
        assert sentiment.probabilities["neutral"] == pytest.approx(expected[2], abs=1e-3)
        assert sentiment.score == pytest.approx(float(expected @ np.array(POLARITY)), abs=1e-3)
    assert len({round(sentiment.score, 4) for sentiment in heard}) == len(texts)


def _by_hand(checkpoint: Path, text: str) -> NDArray[Any]:
    ids = Tokenizer.from_file(str(checkpoint / "tokenizer.json")).encode(text).ids
    return np.asarray(softmax(host_logits(checkpoint, np.array(ids))))
