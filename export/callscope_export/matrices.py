"""The matrices of a graph that was not written here, stored in 8 bits as `weight_only.WeightOnlyPrecision` stores its own.

Products with a constant matrix, and look-ups in the table of tokens, become those of blocks of 8-bit numbers, where a
row never depends on the rows beside it. Positions, norms and everything without a matrix stay as they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from .graph import CONTRIB
from .weight_only import BLOCK, ZERO_POINT, pack

MATRIX = 2
"""Dimensions of one."""


def store_in_8_bits(model: onnx.ModelProto, table_rows: int) -> None:
    """Replace, in place, every FP32 matrix that a product uses.

    Args:
        model: Its outermost graph is changed; opsets gain com.microsoft.
        table_rows: The number of tokens: tables of so many rows are replaced too.
    """
    graph = model.graph
    matrices = {one.name: one for one in graph.initializer if _is_matrix(one)}
    store = _Store(matrices)
    nodes = [new for node in graph.node for new in _replaced(node, store, table_rows)]
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend(store.tensors.values())
    _drop_unused(graph)
    if all(opset.domain != CONTRIB for opset in model.opset_import):
        model.opset_import.append(helper.make_opsetid(CONTRIB, 1))


@dataclass(frozen=True, slots=True)
class _Store:
    """Matrices by name, and what is stored instead, once however often one is used."""

    matrices: dict[str, onnx.TensorProto]
    tensors: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def blocks(self, name: str, *, transposed: bool) -> tuple[str, str, int, int]:
        """Store a matrix (N, K), or (K, N) where it has to be transposed: names of codes and scales, N, K."""
        codes, scales = (f"{name}.{part}{'.T' * transposed}" for part in ("codes", "scales"))
        dims = self.matrices[name].dims
        n, k = (dims[1], dims[0]) if transposed else (dims[0], dims[1])
        if codes not in self.tensors:
            matrix = numpy_helper.to_array(self.matrices[name])
            for stored, array in zip((codes, scales), pack(matrix.T if transposed else matrix), strict=True):
                self.tensors[stored] = numpy_helper.from_array(array, stored)
        return codes, scales, n, k

    def constant(self, name: str, value: NDArray[Any] | np.generic) -> str:
        """Store a small constant."""
        self.tensors.setdefault(name, numpy_helper.from_array(np.asarray(value), name))
        return name


def _is_matrix(tensor: onnx.TensorProto) -> bool:
    return len(tensor.dims) == MATRIX and tensor.data_type == onnx.TensorProto.FLOAT


def _replaced(node: onnx.NodeProto, store: _Store, table_rows: int) -> Iterator[onnx.NodeProto]:
    options = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    if node.op_type == "MatMul" and node.input[1] in store.matrices:
        yield _product(node.input[0], store.blocks(node.input[1], transposed=True), node.output[0])
    elif node.op_type == "Gemm" and node.input[1] in store.matrices and _is_plain(options):
        yield from _gemm(node, store, transposed=not options.get("transB", 0))
    elif node.op_type == "Gather" and _looks_up_tokens(node, options, store, table_rows):
        yield from _look_up(node, store)
    else:
        yield node


def _is_plain(options: dict[str, Any]) -> bool:
    """Whether a Gemm is a product and a bias, without factors."""
    return options.get("alpha", 1.0) == options.get("beta", 1.0) == 1.0 and not options.get("transA", 0)


def _looks_up_tokens(node: onnx.NodeProto, options: dict[str, Any], store: _Store, table_rows: int) -> bool:
    table = store.matrices.get(node.input[0])
    return table is not None and table.dims[0] == table_rows and not options.get("axis", 0)


def _product(x: str, blocks: tuple[str, str, int, int], output: str) -> onnx.NodeProto:
    codes, scales, n, k = blocks
    about: dict[str, Any] = {"K": k, "N": n, "bits": 8, "block_size": BLOCK, "accuracy_level": 4}
    return helper.make_node(
        "MatMulNBits", [x, codes, scales], [output], f"{output}/MatMulNBits", domain=CONTRIB, **about
    )


def _gemm(node: onnx.NodeProto, store: _Store, *, transposed: bool) -> Iterator[onnx.NodeProto]:
    x, matrix, *bias = node.input
    output = node.output[0]
    product = f"{output}/product" if bias else output
    yield _product(x, store.blocks(matrix, transposed=transposed), product)
    if bias:
        yield helper.make_node("Add", [product, bias[0]], [output], f"{output}/Add")


def _look_up(node: onnx.NodeProto, store: _Store) -> Iterator[onnx.NodeProto]:
    """Rows of a table, shape (batch, L, width), from those of its codes and scales."""
    (table, ids), output = node.input, node.output[0]
    codes, scales, _, width = store.blocks(table, transposed=False)
    steps: list[tuple[str, list[str], dict[str, Any]]] = [
        ("Gather", [codes, ids], {}),
        ("Cast", ["Gather"], {"to": onnx.TensorProto.FLOAT}),
        ("Sub", ["Cast", store.constant("blocks.zero", np.float32(ZERO_POINT))], {}),
        ("Unsqueeze", ["factors", store.constant("blocks.last", np.array([-1]))], {}),
        ("Mul", ["Sub", "Unsqueeze"], {}),
        ("Reshape", ["Mul", store.constant("blocks.flat", np.array([0, 0, -1]))], {}),
    ]
    own = {name: f"{output}/{name}" for name in ("factors", *(step for step, _, _ in steps))}
    yield helper.make_node("Gather", [scales, ids], [own["factors"]], own["factors"])
    for step, inputs, options in steps:
        yield helper.make_node(step, [own.get(name, name) for name in inputs], [own[step]], own[step], **options)
    bounds = [store.constant("blocks.0", np.array([0])), store.constant(f"blocks.{width}", np.array([width]))]
    axis = store.constant("blocks.2", np.array([2]))
    yield helper.make_node("Slice", [own["Reshape"], *bounds, axis], [output], f"{output}/Slice")


def _drop_unused(graph: onnx.GraphProto) -> None:
    used = set(_read(graph)) | {output.name for output in graph.output}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _read(graph: onnx.GraphProto) -> Iterator[str]:
    """Name every value that a node reads, in this graph and in those inside."""
    for node in graph.node:
        yield from node.input
        for attribute in node.attribute:
            yield from _read(attribute.g)
            yield from (output.name for output in attribute.g.output)
