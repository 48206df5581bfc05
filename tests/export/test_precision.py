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
from callscope_export.int8 import Int8Precision, quantize
from callscope_export.precision import Precision
from callscope_export.precisions import PRECISIONS, encoder_precision, precision_named
from callscope_export.weight_only import BLOCK, ZERO_POINT, pack

STORED_IN_8_BITS = {"int8": PRECISIONS["int8"], "int8, encoder": Int8Precision(flat=True), "w8a16": PRECISIONS["w8a16"]}


def unpacked(packed: NDArray[Any], scales: NDArray[Any], k: int) -> NDArray[Any]:
    return ((packed.astype(np.float64) - ZERO_POINT) * scales[..., None]).reshape(len(packed), -1)[:, :k]


def stored(name: str, weight: NDArray[Any]) -> NDArray[Any]:
    """What a precision makes of a matrix."""
    if name == "w8a16":
        packed, scales = pack(weight)
        return unpacked(packed, scales.astype(np.float16), weight.shape[1])
    codes, scales = quantize(weight)
    return codes.astype(np.float64) * scales[:, None]


def open_built(
    x: tuple[str, tuple[int, ...]], output: tuple[int, ...], write: Callable[[GraphBuilder, str], str]
) -> onnxruntime.InferenceSession:
    """Open a graph of one input, given its builder."""
    signature = Signature("part", "onnxruntime", (Tensor("x", *x),), (Tensor("y", "FP32", output),))
    graph = GraphBuilder("part")
    model = finish(graph, signature, {"y": write(graph, graph.input(signature.inputs[0], batched=True))})
    return onnxruntime.InferenceSession(model.whole().SerializeToString())


@pytest.mark.parametrize("k", [1, 31, 32, 33, 48, 96, 100])
def test_weights_in_blocks_are_within_half_a_step(rng: np.random.Generator, k: int) -> None:
    weight = rng.standard_normal((7, k)).astype(np.float32)
    packed, scales = pack(weight)
    blocks = -(-k // BLOCK)
    assert packed.shape == (7, blocks, BLOCK)
    assert scales.shape == (7, blocks)
    step = np.repeat(scales, BLOCK, axis=1)[:, :k]
    assert (np.abs(unpacked(packed, scales, k) - weight) <= step * 0.5001).all()
    assert (np.abs(packed.astype(int) - ZERO_POINT).max(axis=-1) == 127).all(), "each block uses the whole range"


@pytest.mark.parametrize("k", [1, 33, 100])
def test_weights_by_channel_are_within_half_a_step(rng: np.random.Generator, k: int) -> None:
    weight = rng.standard_normal((7, k)).astype(np.float32) * np.geomspace(1e-3, 1e3, 7, dtype=np.float32)[:, None]
    codes, scales = quantize(weight)
    assert (np.abs(codes * scales[:, None] - weight) <= scales[:, None] * 0.5001).all()
    assert (np.abs(codes.astype(int)).max(axis=1) == 127).all(), "each channel uses the whole range"


def test_zeros_stay_zeros() -> None:
    packed, scales = pack(np.zeros((3, 40), np.float32))
    assert (packed == ZERO_POINT).all()
    assert (scales == 0).all()
    assert not quantize(np.zeros((3, 40), np.float32))[0].any()


def half(precision: Precision) -> bool:
    return precision.float_type == "FP16"


@pytest.mark.parametrize("k", [1, 16, 31, 33, 48, 64, 100, 384])
@pytest.mark.parametrize("rows", [1, 2, 17])
@pytest.mark.parametrize("name", STORED_IN_8_BITS)
def test_a_quantised_matrix_multiplies_like_its_unpacked_self(
    rng: np.random.Generator, name: str, k: int, rows: int
) -> None:
    precision = STORED_IN_8_BITS[name]
    weight, bias = rng.standard_normal((24, k)).astype(np.float32), rng.standard_normal(24).astype(np.float32)

    def write(graph: GraphBuilder, x: str) -> str:
        return precision.linear(graph, weight, bias)(graph, x)

    x = rng.standard_normal((rows, k)).astype(precision.dtype)
    y = run_built(precision, x, 24, write)
    exact = x.astype(np.float64) @ stored(name, weight).T + bias
    # Activations are rounded to 8 or 11 bits too: an error of at most half a step of each product.
    assert np.abs(y - exact).max() < 0.02 * np.sqrt(k) * np.abs(x).max()


def run_built(precision: Precision, x: NDArray[Any], n: int, write: Callable[[GraphBuilder, str], str]) -> NDArray[Any]:
    """Run a graph of one input and one output in a precision's own type."""
    signature = Signature(
        "part",
        "onnxruntime",
        (Tensor("x", precision.float_type, x.shape[1:]),),
        (Tensor("y", precision.float_type, (n,)),),
    )
    graph = GraphBuilder("part")
    model = finish(graph, signature, {"y": write(graph, graph.input(signature.inputs[0], batched=True))})
    (y,) = onnxruntime.InferenceSession(model.whole().SerializeToString()).run(None, {"x": x})
    return np.asarray(y)


@pytest.mark.parametrize("name", STORED_IN_8_BITS)
def test_matrices_of_one_input_give_what_each_gives_alone(rng: np.random.Generator, name: str) -> None:
    precision = STORED_IN_8_BITS[name]
    layers = [(rng.standard_normal((24, 40)).astype(np.float32), bias) for bias in (rng.standard_normal(24), None)]
    x = rng.standard_normal((5, 40)).astype(precision.dtype)

    def together(graph: GraphBuilder, x: str) -> str:
        return graph.op("Concat", *precision.projections(graph, layers)(graph, x), axis=1)

    for index, part in enumerate(np.split(run_built(precision, x, 48, together), 2, axis=1)):

        def alone(graph: GraphBuilder, x: str, index: int = index) -> str:
            return precision.linear(graph, *layers[index])(graph, x)

        np.testing.assert_allclose(part, run_built(precision, x, 24, alone), rtol=2e-3 if half(precision) else 1e-6)


@pytest.mark.parametrize("name", ["int8", "int8, encoder"])
def test_a_quantised_row_does_not_depend_on_the_rows_beside_it(rng: np.random.Generator, name: str) -> None:
    weight = rng.standard_normal((40, 100)).astype(np.float32)

    def write(graph: GraphBuilder, x: str) -> str:
        return STORED_IN_8_BITS[name].linear(graph, weight, None)(graph, x)

    session = open_built(("FP32", (100,)), (40,), write)
    x = rng.standard_normal((9, 100)).astype(np.float32) * np.geomspace(1, 1e4, 9, dtype=np.float32)[:, None]
    x[4] = 0
    (together,) = session.run(None, {"x": x})
    for row in range(len(x)):
        (alone,) = session.run(None, {"x": x[row : row + 1]})
        np.testing.assert_array_equal(together[row], alone[0])
    assert not together[4].any()


@pytest.mark.parametrize("name", ["fp32", "int8"])
def test_what_is_kept_of_the_states_is_found_again(rng: np.random.Generator, name: str) -> None:
    """One position's values come back where attention is on it alone, and scores are products."""
    precision, heads, size, positions = PRECISIONS[name], 3, 16, 20
    keys, values = rng.standard_normal((2, 2, positions, heads * size)).astype(np.float32)
    queries = rng.standard_normal((2, heads, 4, size)).astype(np.float32)
    looking = np.eye(positions, dtype=np.float32)[rng.integers(0, positions, (2, heads, 4))]
    width, each = heads * size, (heads, 4, size)
    inputs = (
        Tensor("keys", "FP32", (positions, width)),
        Tensor("values", "FP32", (positions, width)),
        Tensor("queries", "FP32", each),
        Tensor("looking", "FP32", (heads, 4, positions)),
    )
    outputs = (Tensor("scores", "FP32", (heads, 4, positions)), Tensor("found", "FP32", each))
    graph = GraphBuilder("memory")
    k, v, q, a = (graph.input(tensor, batched=True) for tensor in inputs)
    memory = precision.memory(graph, k, v, heads)
    model = finish(
        graph,
        Signature("memory", "onnxruntime", inputs, outputs),
        {"scores": memory.scores(graph, q), "found": memory.mix(graph, a)},
    )
    feeds = {"keys": keys, "values": values, "queries": queries, "looking": looking}
    scores, found = onnxruntime.InferenceSession(model.whole().SerializeToString()).run(None, feeds)
    by_head = [part.reshape(2, positions, heads, size).transpose(0, 2, 1, 3) for part in (keys, values)]
    np.testing.assert_allclose(
        scores, queries @ by_head[0].transpose(0, 1, 3, 2), atol=0.25 if name == "int8" else 1e-4
    )
    np.testing.assert_allclose(found, looking @ by_head[1], atol=0.02 if name == "int8" else 1e-6)


@pytest.mark.parametrize("width", [32, 48])
@pytest.mark.parametrize("name", ["fp32", "int8", "w8a16"])
def test_an_embedding_gives_back_its_rows(rng: np.random.Generator, width: int, name: str) -> None:
    rows, precision = rng.standard_normal((50, width)).astype(np.float32), PRECISIONS[name]

    def write(graph: GraphBuilder, ids: str) -> str:
        return graph.op("Cast", precision.table(graph, rows).rows(graph, ids), to=1)

    ids = rng.integers(0, 50, (3, 5))
    (y,) = open_built(("INT64", (5,)), (5, width), write).run(None, {"x": ids})
    expected = rows if name == "fp32" else stored(name, rows)
    np.testing.assert_allclose(y, expected[ids], atol=2e-3 if half(precision) else 1e-6)


def test_the_encoder_is_stored_as_suits_it() -> None:
    assert encoder_precision(PRECISIONS["w8a16"]).name == "fp16"
    assert encoder_precision(PRECISIONS["int8"]) == Int8Precision(flat=True)
    assert encoder_precision(PRECISIONS["fp32"]) == PRECISIONS["fp32"]


def test_an_unknown_precision_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ProfileInvalid, match="fp32, fp16, int8, w8a16"):
        precision_named("int4")
