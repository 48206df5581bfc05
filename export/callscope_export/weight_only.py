"""8-bit weights in blocks under FP16 activations, for the decoder on a GPU: the precision `w8a16`.

A decoder's step is bound by reading its weights, and half as many bytes take half as long. Nothing but the weights is
rounded (`MatMulNBits`, symmetric, a scale for each block), so a row does not depend on the rows beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .attention import Attended, split_cache
from .graph import CONTRIB, GraphBuilder
from .precision import Layer, Projections, SideBySide, cast_float, side_by_side

Array = NDArray[Any]

BLOCK = 32
ZERO_POINT = 128


@dataclass(frozen=True, slots=True)
class WeightOnlyPrecision:
    """Matrices in 8 bits with a scale for each block of `BLOCK`, everything else in one floating-point type."""

    name: str
    float_type: str
    dtype: type[np.floating[Any]]

    def linear(self, graph: GraphBuilder, weight: Array, bias: Array | None) -> "BlockLinear":
        """Store a matrix of shape (N, K) and a bias of shape (N,)."""
        packed, scales = pack(weight)
        bias_name = None if bias is None else graph.constant(bias.astype(self.dtype))
        return BlockLinear(graph.constant(packed), graph.constant(scales.astype(self.dtype)), bias_name, *weight.shape)

    def projections(self, graph: GraphBuilder, layers: Sequence[Layer]) -> Projections:
        """Store matrices of the same shape side by side."""
        return SideBySide(self.linear(graph, *side_by_side(layers)), len(layers))

    def table(self, graph: GraphBuilder, rows: Array) -> "BlockTable":
        """Store an embedding of shape (rows, width)."""
        return BlockTable(self.linear(graph, rows, None), self.float_type)

    def memory(self, graph: GraphBuilder, keys: str, values: str, heads: int) -> Attended:
        """Keep them as they are."""
        return split_cache(graph, keys, values, heads)


@dataclass(frozen=True, slots=True)
class BlockLinear:
    """A matrix stored as (N, blocks, BLOCK) of UINT8 with (N, blocks) scales."""

    packed: str
    scales: str
    bias: str | None
    n: int
    k: int

    def __call__(self, graph: GraphBuilder, x: str) -> str:
        """Multiply x, shape (..., K)."""
        sizes = {"K": self.k, "N": self.n, "bits": 8, "block_size": BLOCK}
        product = graph.op("MatMulNBits", x, self.packed, self.scales, domain=CONTRIB, **sizes)
        return product if self.bias is None else graph.op("Add", product, self.bias)


@dataclass(frozen=True, slots=True)
class BlockTable:
    """An embedding whose 8-bit rows serve the look-up and the scores alike."""

    linear: BlockLinear
    float_type: str

    def rows(self, graph: GraphBuilder, ids: str) -> str:
        """Look up ids, shape (batch, T)."""
        codes = graph.op("Cast", graph.op("Gather", self.linear.packed, ids), to=1)
        centred = graph.op("Sub", codes, graph.constant(np.float32(ZERO_POINT)))
        scales = cast_float(graph, graph.op("Gather", self.linear.scales, ids), self.float_type, "FP32")
        whole = graph.op("Mul", centred, graph.op("Unsqueeze", scales, graph.integers(-1)))
        rows = graph.op("Reshape", whole, graph.integers(0, 0, -1))
        kept = graph.op("Slice", rows, graph.integers(0), graph.integers(self.linear.k), graph.integers(2))
        return cast_float(graph, kept, "FP32", self.float_type)

    def scores(self, graph: GraphBuilder, x: str) -> str:
        """Multiply x, shape (batch, width), with every row."""
        return cast_float(graph, self.linear(graph, x), self.float_type, "FP32")


def pack(weight: Array) -> tuple[Array, Array]:
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
