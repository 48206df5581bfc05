"""How weights are stored and multiplied: fp32, fp16, or 8-bit integers of two kinds.

int8 is for CPUs, w8a16 for GPUs (see `int8` and `weight_only`). Convolutions, norms and positions are never quantised.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .attention import Attended, split_cache
from .graph import GraphBuilder

Array = NDArray[Any]
Layer = tuple[Array, Array | None]
"""A weight of shape (N, K) and a bias of shape (N,)."""


class Linear(Protocol):
    """A matrix whose weights are stored in a graph, ready to be applied anywhere in it."""

    def __call__(self, graph: GraphBuilder, x: str) -> str:
        """Multiply x, shape (..., K), and return shape (..., N)."""


class Projections(Protocol):
    """Several matrices that multiply the same input."""

    def __call__(self, graph: GraphBuilder, x: str) -> list[str]:
        """Multiply x, shape (..., K), with each."""


class Table(Protocol):
    """An embedding that also scores hidden states against its rows."""

    def rows(self, graph: GraphBuilder, ids: str) -> str:
        """Look up ids, shape (batch, T), and return shape (batch, T, width)."""

    def scores(self, graph: GraphBuilder, x: str) -> str:
        """Multiply x, shape (batch, width), with every row and return FP32 of shape (batch, rows)."""


class Precision(Protocol):
    """One way to store weights."""

    @property
    def name(self) -> str:
        """What users call it."""

    @property
    def float_type(self) -> str:
        """Triton's name of the type of activations."""

    @property
    def dtype(self) -> type[np.floating[Any]]:
        """NumPy's type of activations."""

    def linear(self, graph: GraphBuilder, weight: Array, bias: Array | None) -> Linear:
        """Store a matrix of shape (N, K), as PyTorch keeps it, and a bias of shape (N,)."""

    def projections(self, graph: GraphBuilder, layers: Sequence[Layer]) -> Projections:
        """Store matrices of the same shape that multiply the same input."""

    def table(self, graph: GraphBuilder, rows: Array) -> Table:
        """Store an embedding of shape (rows, width)."""

    def memory(self, graph: GraphBuilder, keys: str, values: str, heads: int) -> Attended:
        """Keep keys and values of shape (batch, C, width), which many steps will attend to."""


@dataclass(frozen=True, slots=True)
class FloatPrecision:
    """Weights and activations in one floating-point type."""

    name: str
    float_type: str
    dtype: type[np.floating[Any]]

    def linear(self, graph: GraphBuilder, weight: Array, bias: Array | None) -> Linear:
        """Store a matrix of shape (N, K) and a bias of shape (N,)."""
        stored = graph.constant(weight.T.astype(self.dtype))
        return FloatLinear(stored, None if bias is None else graph.constant(bias.astype(self.dtype)))

    def projections(self, graph: GraphBuilder, layers: Sequence[Layer]) -> Projections:
        """Store matrices of the same shape side by side."""
        return SideBySide(self.linear(graph, *side_by_side(layers)), len(layers))

    def table(self, graph: GraphBuilder, rows: Array) -> Table:
        """Store an embedding of shape (rows, width)."""
        return FloatTable(graph.constant(rows.astype(self.dtype)), self.float_type)

    def memory(self, graph: GraphBuilder, keys: str, values: str, heads: int) -> Attended:
        """Keep them as they are."""
        return split_cache(graph, keys, values, heads)


@dataclass(frozen=True, slots=True)
class FloatLinear:
    """A matrix stored as (K, N), with its bias."""

    weight: str
    bias: str | None

    def __call__(self, graph: GraphBuilder, x: str) -> str:
        """Multiply x, shape (..., K)."""
        product = graph.op("MatMul", x, self.weight)
        return product if self.bias is None else graph.op("Add", product, self.bias)


@dataclass(frozen=True, slots=True)
class SideBySide:
    """One matrix whose results are taken apart."""

    linear: Linear
    parts: int

    def __call__(self, graph: GraphBuilder, x: str) -> list[str]:
        """Multiply x, shape (..., K), with each."""
        return graph.ops("Split", self.linear(graph, x), outputs=self.parts, axis=-1, num_outputs=self.parts)


@dataclass(frozen=True, slots=True)
class FloatTable:
    """An embedding stored as (rows, width)."""

    weight: str
    float_type: str

    def rows(self, graph: GraphBuilder, ids: str) -> str:
        """Look up ids, shape (batch, T)."""
        return graph.op("Gather", self.weight, ids)

    def scores(self, graph: GraphBuilder, x: str) -> str:
        """Multiply x, shape (batch, width), with every row."""
        scores = graph.op("Gemm", x, self.weight, transB=1)
        return cast_float(graph, scores, self.float_type, "FP32")


def side_by_side(layers: Sequence[Layer]) -> tuple[Array, Array]:
    """Make one weight and one bias of several; a layer without a bias has zeros there."""
    biases = [np.zeros(len(weight), np.float32) if bias is None else bias for weight, bias in layers]
    return np.concatenate([weight for weight, _ in layers]), np.concatenate(biases)


def cast_float(graph: GraphBuilder, x: str, given: str, wanted: str) -> str:
    """Convert between FP32 and FP16 where they differ."""
    return x if given == wanted else graph.op("Cast", x, to={"FP32": 1, "FP16": 10}[wanted])
