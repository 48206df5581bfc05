"""The parts that Whisper's encoder and decoder and BERT are made of.

Each part is loaded once from the checkpoint's weights and then called with any graph that can see them: the outermost
one, or a loop's body.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .graph import GraphBuilder
from .precision import Linear, Precision

Array = NDArray[Any]

WITHOUT_BIAS = "k_proj"
"""The one linear layer of Whisper that has no bias."""


@dataclass(frozen=True, slots=True)
class Loader:
    """Puts a checkpoint's weights into a graph.

    Attributes:
        graph: The outermost graph, which keeps the weights.
        weights: Arrays by their names in the checkpoint.
        precision: How they are stored.
        prefix: What all names begin with, ending in a dot or empty.
    """

    graph: GraphBuilder
    weights: Mapping[str, Array]
    precision: Precision
    prefix: str = ""

    def at(self, prefix: str) -> "Loader":
        """Go one level down the names."""
        return Loader(self.graph, self.weights, self.precision, f"{self.prefix}{prefix}.")

    def array(self, name: str) -> Array:
        """Read an array."""
        return self.weights[self.prefix + name]

    def constant(self, name: str) -> str:
        """Store an array as it is, in the precision's floating-point type."""
        return self.graph.constant(self.array(name).astype(self.precision.dtype))

    def linear(self, *names: str, scales: tuple[float, ...] = ()) -> Linear:
        """Store one matrix that gives the results of several layers side by side.

        Args:
            names: The layers; `WITHOUT_BIAS` counts as having zeros there.
            scales: A factor for each layer, 1 where not given.
        """
        factors = scales or (1.0,) * len(names)
        weights = [self.array(f"{name}.weight") * np.float32(f) for name, f in zip(names, factors, strict=True)]
        biases = [self._bias(name, len(w)) * np.float32(f) for name, w, f in zip(names, weights, factors, strict=True)]
        return self.precision.linear(self.graph, np.concatenate(weights), np.concatenate(biases))

    def norm(self, name: str, epsilon: float = 1e-5) -> "Norm":
        """Store a layer norm."""
        return Norm(self.constant(f"{name}.weight"), self.constant(f"{name}.bias"), epsilon)

    def _bias(self, name: str, size: int) -> Array:
        return np.zeros(size, np.float32) if name == WITHOUT_BIAS else self.array(f"{name}.bias")


@dataclass(frozen=True, slots=True)
class Norm:
    """A layer norm over the last axis, kept as one operator: taken apart, it loses too much in FP16."""

    scale: str
    bias: str
    epsilon: float

    def __call__(self, graph: GraphBuilder, x: str) -> str:
        """Normalise x, shape (..., width)."""
        return graph.op("LayerNormalization", x, self.scale, self.bias, axis=-1, epsilon=self.epsilon)


@dataclass(frozen=True, slots=True)
class FeedForward:
    """Two matrices with GELU between."""

    up: Linear
    down: Linear

    def __call__(self, graph: GraphBuilder, x: str) -> str:
        """Map x, shape (..., width), to the same shape."""
        return self.down(graph, graph.op("Gelu", self.up(graph, x)))


@dataclass(frozen=True, slots=True)
class Cache:
    """The keys and values of one attention.

    Attributes:
        keys: Shape (batch, heads, size, T): transposed, so that a query needs only multiply.
        values: Shape (batch, heads, T, size).
    """

    keys: str
    values: str

    def extended(self, graph: GraphBuilder, new: "Cache") -> "Cache":
        """Append the keys and values of later positions."""
        keys = graph.op("Concat", self.keys, new.keys, axis=-1)
        return Cache(keys, graph.op("Concat", self.values, new.values, axis=-2))


def split_queries(graph: GraphBuilder, x: str, heads: int) -> str:
    """Reshape (batch, T, width) to (batch, heads, T, size)."""
    return graph.op("Transpose", _by_head(graph, x, heads), perm=[0, 2, 1, 3])


def split_cache(graph: GraphBuilder, keys: str, values: str, heads: int) -> Cache:
    """Reshape keys and values of shape (batch, T, width)."""
    transposed = graph.op("Transpose", _by_head(graph, keys, heads), perm=[0, 2, 3, 1])
    return Cache(transposed, split_queries(graph, values, heads))


def attend(graph: GraphBuilder, queries: str, cache: Cache, mask: str | None = None) -> str:
    """Compute softmax(q k + mask) v.

    Args:
        graph: Where the operators go.
        queries: Shape (batch, heads, T, size), already scaled.
        cache: What is attended to, shape (batch, heads, size, K) and (batch, heads, K, size).
        mask: Added to the scores, shape that broadcasts to (batch, heads, T, K).

    Returns:
        Shape (batch, T, width).
    """
    return mix(graph, look(graph, queries, cache, mask), cache)


def look(graph: GraphBuilder, queries: str, cache: Cache, mask: str | None = None) -> str:
    """Compute softmax(q k + mask), shape (batch, heads, T, K); the arguments are those of `attend`."""
    scores = graph.op("MatMul", queries, cache.keys)
    return graph.op("Softmax", graph.op("Add", scores, mask) if mask else scores, axis=-1)


def mix(graph: GraphBuilder, attention: str, cache: Cache) -> str:
    """Average the values as the attention, shape (batch, heads, T, K), weighs them: shape (batch, T, width)."""
    mixed = graph.op("MatMul", attention, cache.values)
    return graph.op("Reshape", graph.op("Transpose", mixed, perm=[0, 2, 1, 3]), graph.integers(0, 0, -1))


def _by_head(graph: GraphBuilder, x: str, heads: int) -> str:
    width_split = graph.constant(np.array([0, 0, heads, -1], np.int64))
    return graph.op("Reshape", x, width_split)


@dataclass(frozen=True, slots=True)
class SelfAttention:
    """Attention of a sequence to itself, its three inputs made by one matrix."""

    projection: Linear
    out: Linear
    heads: int

    def project(self, graph: GraphBuilder, x: str) -> tuple[str, Cache]:
        """Make queries, and keys and values, of x, shape (batch, T, width)."""
        queries, keys, values = graph.ops("Split", self.projection(graph, x), outputs=3, axis=-1, num_outputs=3)
        return split_queries(graph, queries, self.heads), split_cache(graph, keys, values, self.heads)

    def __call__(self, graph: GraphBuilder, x: str, mask: str | None = None) -> str:
        """Attend to every position that the mask allows; x has shape (batch, T, width)."""
        queries, cache = self.project(graph, x)
        return self.out(graph, attend(graph, queries, cache, mask))


def whisper_self_attention(loader: Loader, heads: int) -> SelfAttention:
    """Load a `self_attn` of Whisper, its queries scaled by size ** -0.5 in the weights."""
    size = loader.array("q_proj.weight").shape[0] // heads
    projection = loader.linear("q_proj", "k_proj", "v_proj", scales=(size**-0.5, 1.0, 1.0))
    return SelfAttention(projection, loader.linear("out_proj"), heads)
