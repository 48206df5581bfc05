"""8-bit weights: what is stored, and what ONNX Runtime makes of it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from callscope_export.contract import Signature, Tensor
from callscope_export.errors import ProfileInvalid
from callscope_export.graph import GraphBuilder, finish
from callscope_export.precision import BLOCK, PRECISIONS, ZERO_POINT, precision_named, quantize


def unpacked(packed: NDArray[Any], scales: NDArray[Any], k: int) -> NDArray[Any]:
    return ((packed.astype(np.float64) - ZERO_POINT) * scales[..., None]).reshape(len(packed), -1)[:, :k]


def open_built(
    x: tuple[str, tuple[int, ...]], output: tuple[int, ...], write: Callable[[GraphBuilder, str], str]
) -> onnxruntime.InferenceSession:
    """Open a graph of one input, given its builder."""
    signature = Signature("part", "onnxruntime", (Tensor("x", *x),), (Tensor("y", "FP32", output),))
    graph = GraphBuilder("part")
    model = finish(graph, signature, {"y": write(graph, graph.input(signature.inputs[0], batched=True))}).whole()
    return onnxruntime.InferenceSession(model.SerializeToString())


@pytest.mark.parametrize("k", [1, 31, 32, 33, 48, 96, 100])
def test_quantised_weights_are_within_half_a_step(rng: np.random.Generator, k: int) -> None:
    weight = rng.standard_normal((7, k)).astype(np.float32)
    packed, scales = quantize(weight)
    blocks = -(-k // BLOCK)
    assert packed.shape == (7, blocks, BLOCK)
    assert scales.shape == (7, blocks)
    step = np.repeat(scales, BLOCK, axis=1)[:, :k]
    assert (np.abs(unpacked(packed, scales, k) - weight) <= step * 0.5001).all()
    assert (np.abs(packed.astype(int) - ZERO_POINT).max(axis=-1) == 127).all(), "each block uses the whole range"


def test_zeros_stay_zeros() -> None:
    packed, scales = quantize(np.zeros((3, 40), np.float32))
    assert (packed == ZERO_POINT).all()
    assert (scales == 0).all()


@pytest.mark.parametrize("k", [1, 16, 31, 33, 48, 64, 100, 384])
@pytest.mark.parametrize("rows", [1, 2, 17])
def test_a_quantised_matrix_multiplies_like_its_unpacked_self(rng: np.random.Generator, k: int, rows: int) -> None:
    weight, bias = rng.standard_normal((24, k)).astype(np.float32), rng.standard_normal(24).astype(np.float32)

    def write(graph: GraphBuilder, x: str) -> str:
        return PRECISIONS["int8"].linear(graph, weight, bias)(graph, x)

    x = rng.standard_normal((rows, 3, k)).astype(np.float32)
    (y,) = open_built(("FP32", (3, k)), (3, 24), write).run(None, {"x": x})
    exact = x @ unpacked(*quantize(weight), k).T + bias
    # Activations are rounded to 8 bits too: an error of at most half a step of each product.
    assert np.abs(y - exact).max() < 0.02 * np.sqrt(k) * np.abs(x).max()


def test_a_quantised_row_does_not_depend_on_the_rows_beside_it(rng: np.random.Generator) -> None:
    weight = rng.standard_normal((40, 100)).astype(np.float32)

    def write(graph: GraphBuilder, x: str) -> str:
        return PRECISIONS["int8"].linear(graph, weight, None)(graph, x)

    session = open_built(("FP32", (100,)), (40,), write)
    x = rng.standard_normal((9, 100)).astype(np.float32) * np.geomspace(1, 1e4, 9, dtype=np.float32)[:, None]
    (together,) = session.run(None, {"x": x})
    for row in range(len(x)):
        (alone,) = session.run(None, {"x": x[row : row + 1]})
        np.testing.assert_array_equal(together[row], alone[0])


@pytest.mark.parametrize("width", [32, 48])
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_an_embedding_gives_back_its_rows(rng: np.random.Generator, width: int, precision: str) -> None:
    rows = rng.standard_normal((50, width)).astype(np.float32)

    def write(graph: GraphBuilder, ids: str) -> str:
        return PRECISIONS[precision].table(graph, rows).rows(graph, ids)

    ids = rng.integers(0, 50, (3, 5))
    (y,) = open_built(("INT64", (5,)), (5, width), write).run(None, {"x": ids})
    stored = rows if precision == "fp32" else unpacked(*quantize(rows), width)
    np.testing.assert_allclose(y, stored[ids], atol=1e-6)


def test_an_unknown_precision_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ProfileInvalid, match="fp32, fp16, int8"):
        precision_named("int4")
