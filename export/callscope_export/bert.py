"""BERT as a classifier of tokens or texts, written without torch: the models `punctuate` and `sentiment`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .contract import Signature
from .graph import Graph, GraphBuilder, finish
from .layers import FeedForward, Loader, SelfAttention
from .precision import Precision, cast_float

Weights = Mapping[str, NDArray[Any]]

COVERED = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
"""The settings of config.json that this graph is for; an absent one is as here."""


@dataclass(frozen=True, slots=True)
class BertSettings:
    """What the graph needs to know, from config.json.

    Attributes:
        layers: Transformer layers.
        heads: Attention heads.
        epsilon: Of every layer norm.
        per_token: Whether every token gets labels, or the whole text.
    """

    layers: int
    heads: int
    epsilon: float
    per_token: bool

    @classmethod
    def of(cls, config: Mapping[str, Any], *, per_token: bool) -> Self:
        """Read them.

        Raises:
            KeyError: One is missing.
        """
        return cls(
            config["num_hidden_layers"],
            config["num_attention_heads"],
            config.get("layer_norm_eps", 1e-12),
            per_token,
        )


def uncovered(config: Mapping[str, Any]) -> str:
    """Say what keeps a checkpoint from being written as this graph; empty where nothing does."""
    others = (f"{key} = {config[key]!r}" for key, value in COVERED.items() if config.get(key, value) != value)
    return next(others, "")


def bert_graph(weights: Weights, settings: BertSettings, precision: Precision, signature: Signature) -> Graph:
    """Build the graph from `input_ids` and `attention_mask`, shape (batch, L), to `logits`."""
    graph = GraphBuilder(signature.name)
    loader = Loader(graph, weights, precision)
    ids, attention_mask = (graph.input(tensor, batched=True) for tensor in signature.inputs)
    mask = _padding_mask(graph, attention_mask, precision)
    x = _bert_embeddings(loader.at("embeddings"), ids, settings.epsilon)
    for index in range(settings.layers):
        x = _bert_layer(loader.at(f"encoder.layer.{index}"), settings, x, mask)
    if not settings.per_token:
        first = graph.op("Gather", x, graph.constant(np.int64(0)), axis=1)
        x = graph.op("Tanh", loader.linear("pooler.dense")(graph, first))
    logits = loader.linear("classifier")(graph, x)
    return finish(graph, signature, {"logits": cast_float(graph, logits, precision.float_type, "FP32")})


def _padding_mask(graph: GraphBuilder, attention_mask: str, precision: Precision) -> str:
    """Turn (batch, L) into what is added to scores: 0, or a number no score outweighs, shape (batch, 1, 1, L)."""
    padding = graph.op("Equal", attention_mask, graph.constant(np.int64(0)))
    low, zero = graph.constant(precision.dtype(-30000)), graph.constant(precision.dtype(0))
    return graph.op("Unsqueeze", graph.op("Where", padding, low, zero), graph.integers(1, 2))


def _bert_embeddings(loader: Loader, ids: str, epsilon: float) -> str:
    graph = loader.graph
    words = loader.precision.table(graph, loader.array("word_embeddings.weight")).rows(graph, ids)
    # Every token is of the first kind, so that kind's embedding goes into the positions.
    kind = loader.array("token_type_embeddings.weight")[:1]
    places = graph.constant((loader.array("position_embeddings.weight") + kind).astype(loader.precision.dtype))
    length = graph.op("Shape", ids, start=1, end=2)
    positions = graph.op("Slice", places, graph.integers(0), length, graph.integers(0))
    return loader.norm("LayerNorm", epsilon)(graph, graph.op("Add", words, positions))


def _bert_layer(loader: Loader, settings: BertSettings, x: str, mask: str) -> str:
    graph, own = loader.graph, loader.at("attention.self")
    width = own.array("query.weight").shape[0]
    projections = own.projections("query", "key", "value", scales=((width // settings.heads) ** -0.5, 1.0, 1.0))
    attention = SelfAttention(projections, loader.linear("attention.output.dense"), settings.heads, width)
    attended = graph.op("Add", attention(graph, x, mask), x)
    x = loader.norm("attention.output.LayerNorm", settings.epsilon)(graph, attended)
    forward = FeedForward(loader.linear("intermediate.dense"), loader.linear("output.dense"))
    return loader.norm("output.LayerNorm", settings.epsilon)(graph, graph.op("Add", forward(graph, x), x))
