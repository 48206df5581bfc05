"""8-bit weights and 8-bit activations, for CPUs: the precision `int8`.

A weight has a scale for each output channel. An activation has a scale for each token, found as the graph runs, as in
CTranslate2: one scale for a whole tensor is a little faster, and makes the words of a window depend on the windows it
shares a batch with. Both kinds of scale are symmetric. Products are sums of integers, so a row is the same to the bit
in any company.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .attention import Attended, split_heads
from .graph import CONTRIB, GraphBuilder
from .precision import Layer

Array = NDArray[Any]

LARGEST = 127
ZERO_POINT = 128
"""Of activations, which the fast kernels of x86 take unsigned (U8S8)."""
LARGEST_UNSIGNED = 255
SMALLEST_SCALE = 1e-12
FLOAT = 1


@dataclass(frozen=True, slots=True)
class Int8Precision:
    """Matrices and what they multiply in 8 bits, everything else in FP32.

    Attributes:
        flat: Whether everything that is multiplied has shape (rows, K): a large one is rounded in fewer passes then.
    """

    name: str = "int8"
    float_type: str = "FP32"
    dtype: type[np.floating[Any]] = np.float32
    flat: bool = False

    def linear(self, graph: GraphBuilder, weight: Array, bias: Array | None) -> "Int8Linear":
        """Store a matrix of shape (N, K) and a bias of shape (N,)."""
        return Int8Linear(_stored(graph, weight, bias), self.flat)

    def projections(self, graph: GraphBuilder, layers: Sequence[Layer]) -> "Int8Projections":
        """Store matrices whose input is rounded once for all."""
        return Int8Projections(tuple(_stored(graph, weight, bias) for weight, bias in layers), self.flat)

    def table(self, graph: GraphBuilder, rows: Array) -> "Int8Table":
        """Store an embedding of shape (rows, width)."""
        codes, scales = quantize(rows)
        stored = graph.constant(codes)
        columns = graph.op("Transpose", stored, perm=[1, 0])
        zeros = graph.constant(np.zeros(len(scales), np.int8))
        return Int8Table(stored, Int8Linear(Matrix(columns, graph.constant(scales), zeros), flat=True))

    def memory(self, graph: GraphBuilder, keys: str, values: str, heads: int) -> Attended:
        """Keep them in 8 bits with a scale for each position and head: a step is bound by reading them."""
        codes, steps = _signed(graph, split_heads(graph, keys, heads))
        key_codes = graph.op("Transpose", codes, perm=[0, 2, 3, 1])
        key_steps = graph.op("Transpose", steps, perm=[0, 2, 3, 1])
        codes, steps = _signed(graph, split_heads(graph, values, heads))
        value_codes = graph.op("Transpose", codes, perm=[0, 2, 1, 3])
        return Int8Memory(key_codes, key_steps, value_codes, graph.op("Transpose", steps, perm=[0, 2, 3, 1]))


@dataclass(frozen=True, slots=True)
class Matrix:
    """Codes of shape (..., K, N) with their scales.

    Attributes:
        codes: INT8.
        scales: Shape (N,), or a scalar.
        zeros: The zero points of the codes, all 0, as many as scales.
        bias: Shape (N,), where there is one.
    """

    codes: str
    scales: str
    zeros: str
    bias: str | None = None


@dataclass(frozen=True, slots=True)
class Rounded:
    """Activations of shape (..., K).

    Attributes:
        codes: UINT8.
        step: The size of one code, shape (..., 1).
        zero_point: The code of 0.
    """

    codes: str
    step: str
    zero_point: int = ZERO_POINT

    def times(self, graph: GraphBuilder, matrix: Matrix) -> str:
        """Multiply with a matrix: shape (..., N)."""
        one, zero = graph.constant(np.float32(1)), graph.constant(np.uint8(self.zero_point))
        inputs = (self.codes, matrix.codes, one, matrix.scales, zero, matrix.zeros)
        product = graph.op("Mul", graph.op("MatMulIntegerToFloat", *inputs, domain=CONTRIB), self.step)
        return product if matrix.bias is None else graph.op("Add", product, matrix.bias)


@dataclass(frozen=True, slots=True)
class Int8Linear:
    """A matrix ready to be applied."""

    matrix: Matrix
    flat: bool

    def __call__(self, graph: GraphBuilder, x: str) -> str:
        """Multiply x, shape (..., K)."""
        return _round(graph, x, flat=self.flat).times(graph, self.matrix)


@dataclass(frozen=True, slots=True)
class Int8Projections:
    """Matrices that multiply the same input."""

    matrices: tuple[Matrix, ...]
    flat: bool

    def __call__(self, graph: GraphBuilder, x: str) -> list[str]:
        """Multiply x, shape (..., K), with each."""
        rounded = _round(graph, x, flat=self.flat)
        return [rounded.times(graph, matrix) for matrix in self.matrices]


@dataclass(frozen=True, slots=True)
class Int8Table:
    """An embedding whose codes serve the look-up and the scores alike.

    `codes` are INT8 of shape (rows, width), those of the matrix transposed; ONNX Runtime does that once, at load.
    """

    codes: str
    linear: Int8Linear

    def rows(self, graph: GraphBuilder, ids: str) -> str:
        """Look up ids, shape (batch, T)."""
        codes = graph.op("Cast", graph.op("Gather", self.codes, ids), to=FLOAT)
        scales = graph.op("Gather", self.linear.matrix.scales, ids)
        return graph.op("Mul", codes, graph.op("Unsqueeze", scales, graph.integers(-1)))

    def scores(self, graph: GraphBuilder, x: str) -> str:
        """Multiply x, shape (batch, width), with every row."""
        return self.linear(graph, x)


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
        return graph.op("Mul", _round(graph, queries).times(graph, _unscaled(graph, self.key_codes)), self.key_steps)

    def mix(self, graph: GraphBuilder, attention: str) -> str:
        """Average values; weights are never negative, so all 8 bits are for their size."""
        weights = graph.op("Mul", attention, self.value_steps)
        step = _step(graph, graph.op("ReduceMax", weights, graph.integers(-1), keepdims=1), LARGEST_UNSIGNED)
        codes = _codes(graph, weights, step, np.uint8(0))
        return Rounded(codes, step, zero_point=0).times(graph, _unscaled(graph, self.value_codes))


def quantize(weight: Array) -> tuple[Array, Array]:
    """Round a matrix to 8 bits, symmetric, a scale for each row.

    Args:
        weight: Shape (N, K).

    Returns:
        Codes, INT8 of shape (N, K), and scales, FP32 of shape (N,).
    """
    scales = np.maximum(np.abs(weight).max(axis=1) / LARGEST, SMALLEST_SCALE).astype(np.float32)
    return np.rint(weight / scales[:, None]).astype(np.int8), scales


def _stored(graph: GraphBuilder, weight: Array, bias: Array | None) -> Matrix:
    codes, scales = quantize(weight)
    zeros = graph.constant(np.zeros(len(scales), np.int8))
    stored_bias = None if bias is None else graph.constant(bias.astype(np.float32))
    return Matrix(graph.constant(codes.T), graph.constant(scales), zeros, stored_bias)


def _unscaled(graph: GraphBuilder, codes: str) -> Matrix:
    return Matrix(codes, graph.constant(np.float32(1)), graph.constant(np.int8(0)))


def _round(graph: GraphBuilder, x: str, *, flat: bool = False) -> Rounded:
    """Round x, shape (..., K), a step for each row."""
    if flat:
        return _round_flat(graph, x)
    step = _step(graph, _largest(graph, x), LARGEST)
    return Rounded(_codes(graph, x, step, np.uint8(ZERO_POINT)), step)


def _round_flat(graph: GraphBuilder, x: str) -> Rounded:
    """The same for x of shape (rows, K): nothing of its size is written but the codes."""
    axis = graph.integers(-1)
    highest, lowest = (graph.op(op, x, axis, keepdims=0) for op in ("ReduceMax", "ReduceMin"))
    step = _step(graph, graph.op("Max", highest, graph.op("Neg", lowest)), LARGEST)
    zeros = graph.op("Expand", graph.constant(np.uint8(ZERO_POINT)), graph.op("Shape", step))
    return Rounded(graph.op("QuantizeLinear", x, step, zeros, axis=0), graph.op("Unsqueeze", step, axis))


def _signed(graph: GraphBuilder, x: str) -> tuple[str, str]:
    """Round x, shape (..., K), to INT8 of the same shape, with steps of shape (..., 1)."""
    step = _step(graph, _largest(graph, x), LARGEST)
    return _codes(graph, x, step, np.int8(0)), step


def _codes(graph: GraphBuilder, x: str, step: str, zero_point: np.generic) -> str:
    scaled, one = graph.op("Div", x, step), graph.constant(np.float32(1))
    return graph.op("QuantizeLinear", scaled, one, graph.constant(zero_point))


def _largest(graph: GraphBuilder, x: str) -> str:
    return graph.op("ReduceMax", graph.op("Abs", x), graph.integers(-1), keepdims=1)


def _step(graph: GraphBuilder, largest: str, codes: int) -> str:
    """Find the size of one step where so many lead from zero to the largest value."""
    step = graph.op("Mul", largest, graph.constant(np.float32(1 / codes)))
    return graph.op("Max", step, graph.constant(np.float32(SMALLEST_SCALE)))
