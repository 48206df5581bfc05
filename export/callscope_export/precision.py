"""How weights are stored and multiplied: fp32, fp16, or 8-bit integers in blocks.

int8 keeps activations per row and per block (`MatMulNBits`, accuracy level 4), so that a row never depends on the rows
it shares a batch with, as it would with one dynamic scale for the whole tensor. Convolutions, norms and positions are
never quantised.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .errors import ProfileInvalid
from .graph import CONTRIB, GraphBuilder

Array = NDArray[Any]

BLOCK = 32
ZERO_POINT = 128


class Linear(Protocol):
    """A matrix whose weights are stored in a graph, ready to be applied anywhere in it."""

    def __call__(self, graph: GraphBuilder, x: str) -> str:
        """Multiply x, shape (..., K), and return shape (..., N)."""


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

    def table(self, graph: GraphBuilder, rows: Array) -> Table:
        """Store an embedding of shape (rows, width)."""


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

    def table(self, graph: GraphBuilder, rows: Array) -> Table:
        """Store an embedding of shape (rows, width)."""
        return FloatTable(graph.constant(rows.astype(self.dtype)), self.float_type)


@dataclass(frozen=True, slots=True)
class Int8Precision:
    """Matrices in 8 bits with a scale for each block of `BLOCK`, everything else in FP32."""

    name: str = "int8"
    float_type: str = "FP32"
    dtype: type[np.floating[Any]] = np.float32

    def linear(self, graph: GraphBuilder, weight: Array, bias: Array | None) -> Linear:
        """Store a matrix of shape (N, K) and a bias of shape (N,)."""
        packed, scales = quantize(weight)
        bias_name = "" if bias is None else graph.constant(bias.astype(np.float32))
        return Int8Linear(graph.constant(packed), graph.constant(scales), bias_name, *weight.shape)

    def table(self, graph: GraphBuilder, rows: Array) -> Table:
        """Store an embedding of shape (rows, width)."""
        packed, scales = quantize(rows)
        return Int8Table(Int8Linear(graph.constant(packed), graph.constant(scales), "", *rows.shape))


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


@dataclass(frozen=True, slots=True)
class Int8Linear:
    """A matrix stored as (N, blocks, BLOCK) of UINT8 with (N, blocks) scales."""

    packed: str
    scales: str
    bias: str
    n: int
    k: int

    def __call__(self, graph: GraphBuilder, x: str) -> str:
        """Multiply x, shape (..., K)."""
        inputs = (x, self.packed, self.scales, "", "", self.bias) if self.bias else (x, self.packed, self.scales)
        return graph.op(
            "MatMulNBits", *inputs, domain=CONTRIB, K=self.k, N=self.n, bits=8, block_size=BLOCK, accuracy_level=4
        )


@dataclass(frozen=True, slots=True)
class Int8Table:
    """An embedding whose 8-bit rows serve the look-up and the scores alike."""

    linear: Int8Linear

    def rows(self, graph: GraphBuilder, ids: str) -> str:
        """Look up ids, shape (batch, T)."""
        codes = graph.op("Cast", graph.op("Gather", self.linear.packed, ids), to=1)
        centred = graph.op("Sub", codes, graph.constant(np.float32(ZERO_POINT)))
        scales = graph.op("Unsqueeze", graph.op("Gather", self.linear.scales, ids), graph.integers(-1))
        rows = graph.op("Reshape", graph.op("Mul", centred, scales), graph.integers(0, 0, -1))
        return graph.op("Slice", rows, graph.integers(0), graph.integers(self.linear.k), graph.integers(2))

    def scores(self, graph: GraphBuilder, x: str) -> str:
        """Multiply x, shape (batch, width), with every row."""
        return self.linear(graph, x)


PRECISIONS: dict[str, Precision] = {
    "fp32": FloatPrecision("fp32", "FP32", np.float32),
    "fp16": FloatPrecision("fp16", "FP16", np.float16),
    "int8": Int8Precision(),
}


def precision_named(name: str) -> Precision:
    """Look up a precision.

    Raises:
        ProfileInvalid: There is none of this name.
    """
    if name not in PRECISIONS:
        raise ProfileInvalid(f"There is no precision {name!r}. Choose one of {', '.join(PRECISIONS)}.")
    return PRECISIONS[name]


def quantize(weight: Array) -> tuple[Array, Array]:
    """Round a matrix to 8 bits, symmetric, a scale for each block of each row.

    Args:
        weight: Shape (N, K).

    Returns:
        Codes around `ZERO_POINT`, UINT8 of shape (N, blocks, BLOCK), where the last block is filled up with zeros; and
        scales, FP32 of shape (N, blocks).
    """
    n, k = weight.shape
    blocks = -(-k // BLOCK)
    padded = np.zeros((n, blocks * BLOCK), np.float32)
    padded[:, :k] = weight
    grouped = padded.reshape(n, blocks, BLOCK)
    scales = np.abs(grouped).max(axis=-1) / 127
    codes = np.rint(grouped / np.where(scales == 0, 1, scales)[..., None]) + ZERO_POINT
    return codes.astype(np.uint8), scales.astype(np.float32)


def cast_float(graph: GraphBuilder, x: str, given: str, wanted: str) -> str:
    """Convert between FP32 and FP16 where they differ."""
    return x if given == wanted else graph.op("Cast", x, to={"FP32": 1, "FP16": 10}[wanted])
