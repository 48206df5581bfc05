"""The parts that Whisper's encoder and decoder and BERT are made of.

Each part is loaded once from the checkpoint's weights and then called with any graph that can see them: the outermost
one, or a loop's body.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .attention import Cache, attend, split_cache, split_queries
from .graph import CONTRIB, GraphBuilder
from .precision import Layer, Linear, Precision, Projections

Array = NDArray[Any]

WITHOUT_BIAS = "k_proj"
"""The one linear layer of Whisper that has no bias."""
ROWS = "rows"
"""The name of a dimension that holds the positions of all windows of a batch."""


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

    def linear(self, name: str, scale: float = 1.0) -> Linear:
        """Store a layer's matrix and bias, both times a factor."""
        return self.precision.linear(self.graph, *self._layer(name, scale))

    def projections(self, *names: str, scales: tuple[float, ...] = ()) -> Projections:
        """Store the matrices of layers of the same shape that have the same input.

        Args:
            names: The layers.
            scales: A factor for each layer, 1 where not given.
        """
        factors = scales or (1.0,) * len(names)
        layers = [self._layer(name, factor) for name, factor in zip(names, factors, strict=True)]
        return self.precision.projections(self.graph, layers)

    def norm(self, name: str, epsilon: float = 1e-5) -> "Norm":
        """Store a layer norm."""
        return Norm(self.constant(f"{name}.weight"), self.constant(f"{name}.bias"), epsilon)

    def _layer(self, name: str, scale: float) -> Layer:
        bias = None if name == WITHOUT_BIAS else self.array(f"{name}.bias") * np.float32(scale)
        return self.array(f"{name}.weight") * np.float32(scale), bias


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
class SelfAttention:
    """Attention of a sequence to itself."""

    projections: Projections
    out: Linear
    heads: int
    width: int
    float_type: str = "FP32"

    def project(self, graph: GraphBuilder, x: str) -> tuple[str, Cache]:
        """Make queries, and keys and values, of x, shape (batch, T, width)."""
        queries, keys, values = self.projections(graph, x)
        return split_queries(graph, queries, self.heads), split_cache(graph, keys, values, self.heads)

    def unmasked(self, graph: GraphBuilder, x: str, positions: int) -> str:
        """Attend to every position without holding all scores at once; x has shape (batch * positions, width)."""
        split = graph.constant(np.array([-1, positions, self.width], np.int64))
        shape = (self.float_type, "batch", positions, self.width)
        inputs = [graph.sized(graph.op("Reshape", part, split), *shape) for part in self.projections(graph, x)]
        mixed = graph.op("MultiHeadAttention", *inputs, domain=CONTRIB, num_heads=self.heads, scale=1.0)
        flat = graph.op("Reshape", mixed, graph.integers(-1, self.width))
        return self.out(graph, graph.sized(flat, self.float_type, ROWS, self.width))

    def __call__(self, graph: GraphBuilder, x: str, mask: str | None = None) -> str:
        """Attend to every position that the mask allows; x has shape (batch, T, width)."""
        queries, cache = self.project(graph, x)
        return self.out(graph, attend(graph, queries, cache, mask))


def whisper_self_attention(loader: Loader, heads: int) -> SelfAttention:
    """Load a `self_attn` of Whisper, its queries scaled by size ** -0.5 in the weights."""
    width = loader.array("q_proj.weight").shape[0]
    projections = loader.projections("q_proj", "k_proj", "v_proj", scales=((width // heads) ** -0.5, 1.0, 1.0))
    return SelfAttention(projections, loader.linear("out_proj"), heads, width, loader.precision.float_type)
