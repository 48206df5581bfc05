"""Attention: what a position looks for, what it finds, and how what it has found is kept."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .graph import GraphBuilder


class Attended(Protocol):
    """Keys and values, stored one way or another."""

    def scores(self, graph: GraphBuilder, queries: str) -> str:
        """Compare queries, shape (batch, heads, T, size), already scaled, with keys: shape (batch, heads, T, K)."""

    def mix(self, graph: GraphBuilder, attention: str) -> str:
        """Average values as the attention, shape (batch, heads, T, K), weighs them: (batch, heads, T, size)."""


@dataclass(frozen=True, slots=True)
class Cache:
    """The keys and values of one attention, as floating-point numbers.

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

    def scores(self, graph: GraphBuilder, queries: str) -> str:
        """Compare queries with keys."""
        return graph.op("MatMul", queries, self.keys)

    def mix(self, graph: GraphBuilder, attention: str) -> str:
        """Average values."""
        return graph.op("MatMul", attention, self.values)


def split_queries(graph: GraphBuilder, x: str, heads: int) -> str:
    """Reshape (batch, T, width) to (batch, heads, T, size)."""
    return graph.op("Transpose", split_heads(graph, x, heads), perm=[0, 2, 1, 3])


def split_cache(graph: GraphBuilder, keys: str, values: str, heads: int) -> Cache:
    """Reshape keys and values of shape (batch, T, width)."""
    transposed = graph.op("Transpose", split_heads(graph, keys, heads), perm=[0, 2, 3, 1])
    return Cache(transposed, split_queries(graph, values, heads))


def split_heads(graph: GraphBuilder, x: str, heads: int) -> str:
    """Reshape (batch, T, width) to (batch, T, heads, size)."""
    return graph.op("Reshape", x, graph.constant(np.array([0, 0, heads, -1], np.int64)))


def attend(graph: GraphBuilder, queries: str, attended: Attended, mask: str | None = None) -> str:
    """Compute softmax(q k + mask) v.

    Args:
        graph: Where the operators go.
        queries: Shape (batch, heads, T, size), already scaled.
        attended: Keys and values of K positions.
        mask: Added to the scores, shape that broadcasts to (batch, heads, T, K).

    Returns:
        Shape (batch, T, width).
    """
    return gather(graph, look(graph, queries, attended, mask), attended)


def look(graph: GraphBuilder, queries: str, attended: Attended, mask: str | None = None) -> str:
    """Compute softmax(q k + mask), shape (batch, heads, T, K); the arguments are those of `attend`."""
    scores = attended.scores(graph, queries)
    return graph.op("Softmax", graph.op("Add", scores, mask) if mask else scores, axis=-1)


def gather(graph: GraphBuilder, attention: str, attended: Attended) -> str:
    """Bring the values that the attention, shape (batch, heads, T, K), has found together: shape (batch, T, width)."""
    mixed = attended.mix(graph, attention)
    return graph.op("Reshape", graph.op("Transpose", mixed, perm=[0, 2, 1, 3]), graph.integers(0, 0, -1))
