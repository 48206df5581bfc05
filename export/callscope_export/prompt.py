"""The part of the decoder's graph that chooses a row's language and task."""

from dataclasses import dataclass

import numpy as np
import onnx

from .graph import GraphBuilder
from .prompt_tokens import Prompt


@dataclass(frozen=True, slots=True)
class Choice:
    """A row's language.

    Attributes:
        token: The language's token, INT64 of shape (batch, 1); -1 where the checkpoint knows one language only.
        probability: Its share among all languages, FP32 of shape (batch, 1).
    """

    token: str
    probability: str


def choose_language(graph: GraphBuilder, prompt: Prompt, scores: str, wanted: str) -> Choice:
    """Take the language a row wants, or the most probable where that is none the checkpoint knows.

    Args:
        graph: Where the operators go.
        prompt: The special tokens.
        scores: After the prompt's first token, FP32 of shape (batch, vocabulary).
        wanted: Tokens of languages, INT32 of shape (batch, 1).
    """
    if not prompt.languages:
        shape = graph.op("Shape", wanted)
        probability = graph.op("Expand", graph.constant(np.float32(1)), shape)
        return Choice(graph.op("Expand", graph.constant(np.int64(-1)), shape), probability)
    ids = graph.integers(*prompt.languages.values())
    probabilities = graph.op("Softmax", graph.op("Gather", scores, ids, axis=1))
    given, index_given = _matching(graph, wanted, ids)
    index = graph.op("Where", given, index_given, graph.op("ArgMax", probabilities, axis=1, keepdims=1))
    return Choice(graph.op("Gather", ids, index), graph.op("GatherElements", probabilities, index, axis=1))


def choose_task(graph: GraphBuilder, prompt: Prompt, wanted: str) -> str:
    """Take the task a row wants, INT32 of shape (batch, 1), or the default where that is no task."""
    ids = graph.integers(*prompt.tasks.values())
    given, index_given = _matching(graph, wanted, ids)
    return graph.op("Gather", ids, graph.op("Where", given, index_given, graph.integers(0)))


def _matching(graph: GraphBuilder, wanted: str, ids: str) -> tuple[str, str]:
    """Find each row's wanted id among the ids: whether it is there, and its index, both of shape (batch, 1)."""
    same = graph.op("Equal", graph.op("Cast", wanted, to=onnx.TensorProto.INT64), ids)
    hits = graph.op("Cast", same, to=onnx.TensorProto.INT32)
    found = graph.op("Cast", graph.op("ReduceMax", hits, graph.integers(1), keepdims=1), to=onnx.TensorProto.BOOL)
    return found, graph.op("ArgMax", hits, axis=1, keepdims=1)
