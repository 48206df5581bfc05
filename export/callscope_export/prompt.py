"""The part of the decoder's graph that chooses a row's language and task."""

from dataclasses import dataclass

import numpy as np
import onnx

from .graph import GraphBuilder
from .whisper import Prompt


@dataclass(frozen=True, slots=True)
class Choice:
    """A row's language.

    Attributes:
        token: The language's token, INT64 of shape (batch, 1); -1 where the checkpoint knows one language only.
        probability: Its share among all languages, FP32 of shape (batch, 1).
        scores: The scores after the prompt's first token, FP32 of shape (batch, vocabulary).
    """

    token: str
    probability: str
    scores: str


def choose_language(graph: GraphBuilder, prompt: Prompt, scores: str, wanted: str) -> Choice:
    """Take the language a row wants, INT32 of shape (batch, 1), or the most probable where that is none we know."""
    if not prompt.languages:
        one = graph.op("Add", graph.op("Mul", graph.op("Cast", wanted, to=1), _float(graph, 0)), _float(graph, 1))
        token = graph.op("Neg", graph.op("Cast", one, to=onnx.TensorProto.INT64))
        return Choice(token, one, scores)
    ids = graph.integers(*prompt.languages.values())
    probabilities = graph.op("Softmax", graph.op("Gather", scores, ids, axis=1))
    given, index_given = _matching(graph, wanted, ids)
    index = graph.op("Where", given, index_given, graph.op("ArgMax", probabilities, axis=1, keepdims=1))
    return Choice(graph.op("Gather", ids, index), graph.op("GatherElements", probabilities, index, axis=1), scores)


def choose_task(graph: GraphBuilder, prompt: Prompt, wanted: str) -> str:
    """Take the task a row wants, INT32 of shape (batch, 1), or transcription where that is none we know."""
    ids = graph.integers(*prompt.tasks.values())
    given, index_given = _matching(graph, wanted, ids)
    default = list(prompt.tasks).index("transcribe")
    return graph.op("Gather", ids, graph.op("Where", given, index_given, graph.integers(default)))


def _matching(graph: GraphBuilder, wanted: str, ids: str) -> tuple[str, str]:
    """Find each row's wanted id among the ids: whether it is there, and its index, both of shape (batch, 1)."""
    same = graph.op("Equal", graph.op("Cast", wanted, to=onnx.TensorProto.INT64), ids)
    hits = graph.op("Cast", same, to=onnx.TensorProto.INT32)
    found = graph.op("Cast", graph.op("ReduceMax", hits, graph.integers(1), keepdims=1), to=onnx.TensorProto.BOOL)
    return found, graph.op("ArgMax", hits, axis=1, keepdims=1)


def _float(graph: GraphBuilder, value: float) -> str:
    return graph.constant(np.float32(value))
