"""8-bit weights and 8-bit activations, for CPUs: the precision `int8`.

A weight has a scale for each output channel. An activation has a scale for each token, found as the graph runs, as in
CTranslate2: one scale for a whole tensor is a little faster, and makes the words of a window depend on the windows it
shares a batch with. Both kinds of scale are symmetric. Products are sums of integers, so a row is the same to the bit
in any company.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .attention import Attended, split_heads
from .graph import CONTRIB, GraphBuilder

Array = NDArray[Any]

LARGEST = 127
ZERO_POINT = 128
"""Of activations, which the fast kernels of x86 take unsigned (U8S8)."""
LARGEST_UNSIGNED = 255
SMALLEST_SCALE = 1e-12
FLOAT = 1


@dataclass(frozen=True, slots=True)
class Int8Precision:
    """Matrices and what they multiply in 8 bits, everything else in FP32."""

    name: str = "int8"
    float_type: str = "FP32"
    dtype: type[np.floating[Any]] = np.float32

    def linear(self, graph: GraphBuilder, weight: Array, bias: Array | None) -> "Int8Linear":
        """Store a matrix of shape (N, K) and a bias of shape (N,)."""
        codes, scales = quantize(weight)
        bias_name = None if bias is None else graph.constant(bias.astype(np.float32))
        zeros = graph.constant(np.zeros(len(scales), np.int8))
        return Int8Linear(graph.constant(codes.T), graph.constant(scales), zeros, bias_name)

    def table(self, graph: GraphBuilder, rows: Array) -> "Int8Table":
        """Store an embedding of shape (rows, width)."""
        return Int8Table(self.linear(graph, rows, None))

    def memory(self, graph: GraphBuilder, keys: str, values: str, heads: int) -> Attended:
        """Keep them in 8 bits with a scale for each position and head: a step is bound by reading them."""
        codes, steps = _signed(graph, split_heads(graph, keys, heads))
        key_codes = graph.op("Transpose", codes, perm=[0, 2, 3, 1])
        key_steps = graph.op("Transpose", steps, perm=[0, 2, 3, 1])
        codes, steps = _signed(graph, split_heads(graph, values, heads))
        value_codes = graph.op("Transpose", codes, perm=[0, 2, 1, 3])
        return Int8Memory(key_codes, key_steps, value_codes, graph.op("Transpose", steps, perm=[0, 2, 3, 1]))


@dataclass(frozen=True, slots=True)
class Int8Linear:
    """A matrix stored as (K, N) of INT8, with scales, zero points and bias of shape (N,)."""

    codes: str
    scales: str
    zeros: str
    bias: str | None

    def __call__(self, graph: GraphBuilder, x: str) -> str:
        """Multiply x, shape (..., K)."""
        product = _multiply(graph, x, self.codes, self.scales, self.zeros)
        return product if self.bias is None else graph.op("Add", product, self.bias)


@dataclass(frozen=True, slots=True)
class Int8Table:
    """An embedding whose 8-bit columns serve the look-up and the scores alike."""

    linear: Int8Linear

    def rows(self, graph: GraphBuilder, ids: str) -> str:
        """Look up ids, shape (batch, T)."""
        codes = graph.op("Cast", graph.op("Gather", self.linear.codes, ids, axis=1), to=FLOAT)
        scales = graph.op("Unsqueeze", graph.op("Gather", self.linear.scales, ids), graph.integers(-1))
        return graph.op("Mul", graph.op("Transpose", codes, perm=[1, 2, 0]), scales)

    def scores(self, graph: GraphBuilder, x: str) -> str:
        """Multiply x, shape (batch, width), with every row."""
        return self.linear(graph, x)


def quantize(weight: Array) -> tuple[Array, Array]:
    """Round a matrix to 8 bits, symmetric, a scale for each row.

    Args:
        weight: Shape (N, K).

    Returns:
        Codes, INT8 of shape (N, K), and scales, FP32 of shape (N,).
    """
    scales = np.maximum(np.abs(weight).max(axis=1) / LARGEST, SMALLEST_SCALE).astype(np.float32)
    return np.rint(weight / scales[:, None]).astype(np.int8), scales


@dataclass(frozen=True, slots=True)
class Int8Memory:
    """Keys and values in 8 bits.

    Attributes:
        key_codes: INT8 of shape (batch, heads, size, C).
        key_steps: Shape (batch, heads, 1, C).
        value_codes: INT8 of shape (batch, heads, C, size).
        value_steps: Shape (batch, heads, 1, C).
    """

    key_codes: str
    key_steps: str
    value_codes: str
    value_steps: str

    def scores(self, graph: GraphBuilder, queries: str) -> str:
        """Compare queries with keys."""
        one, zero = graph.constant(np.float32(1)), graph.constant(np.int8(0))
        return graph.op("Mul", _multiply(graph, queries, self.key_codes, one, zero), self.key_steps)

    def mix(self, graph: GraphBuilder, attention: str) -> str:
        """Average values; weights are never negative, so all 8 bits are for their size."""
        weights = graph.op("Mul", attention, self.value_steps)
        step = _step(graph, graph.op("ReduceMax", weights, graph.integers(-1), keepdims=1), LARGEST_UNSIGNED)
        one, zero = graph.constant(np.float32(1)), graph.constant(np.int8(0))
        return _product(graph, weights, step, self.value_codes, one, zero, zero_point=0)


def _multiply(graph: GraphBuilder, x: str, codes: str, scales: str, zeros: str) -> str:
    """Round x, shape (..., K), a step for each row, and multiply it with codes, shape (..., K, N)."""
    return _product(graph, x, _step(graph, _largest(graph, x), LARGEST), codes, scales, zeros, zero_point=ZERO_POINT)


def _product(  # noqa: PLR0917  the operator has as many
    graph: GraphBuilder, x: str, step: str, codes: str, scales: str, zeros: str, *, zero_point: int
) -> str:
    one, zero = graph.constant(np.float32(1)), graph.constant(np.uint8(zero_point))
    rounded = graph.op("QuantizeLinear", graph.op("Div", x, step), one, zero)
    inputs = (rounded, codes, one, scales, zero, zeros)
    return graph.op("Mul", graph.op("MatMulIntegerToFloat", *inputs, domain=CONTRIB), step)


def _signed(graph: GraphBuilder, x: str) -> tuple[str, str]:
    """Round x, shape (..., K), to INT8 of the same shape, with steps of shape (..., 1)."""
    step = _step(graph, _largest(graph, x), LARGEST)
    scaled, one, zero = graph.op("Div", x, step), graph.constant(np.float32(1)), graph.constant(np.int8(0))
    return graph.op("QuantizeLinear", scaled, one, zero), step


def _largest(graph: GraphBuilder, x: str) -> str:
    return graph.op("ReduceMax", graph.op("Abs", x), graph.integers(-1), keepdims=1)


def _step(graph: GraphBuilder, largest: str, codes: int) -> str:
    """Find the size of one step where so many lead from zero to the largest value."""
    step = graph.op("Mul", largest, graph.constant(np.float32(1 / codes)))
    return graph.op("Max", step, graph.constant(np.float32(SMALLEST_SCALE)))
