"""The matrices of a graph that was not written here, stored in 8 bits as `int8.Int8Precision` stores its own.

Products with a constant matrix, and look-ups in the table of tokens, become those of 8-bit numbers, where a row never
depends on the rows beside it. Positions, norms and everything without a matrix stay as they are.
"""

from collections.abc import Iterator
from typing import Any

import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from .graph import CONTRIB, GraphBuilder
from .int8 import Int8Linear, Int8Precision, Int8Table

MATRIX = 2
"""Dimensions of one."""


def store_in_8_bits(model: onnx.ModelProto, table_rows: int) -> None:
    """Replace, in place, every FP32 matrix that a product uses.

    Args:
        model: Its outermost graph is changed; opsets gain com.microsoft.
        table_rows: The number of tokens: tables of so many rows are replaced too.
    """
    graph = model.graph
    store = _Store({one.name: one for one in graph.initializer if _is_matrix(one)})
    nodes = [new for node in graph.node for new in _replaced(node, store, table_rows)]
    del graph.node[:]
    graph.node.extend(nodes)
    weights = store.builder.weights.items()
    graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in weights)
    _drop_unused(graph)
    if all(opset.domain != CONTRIB for opset in model.opset_import):
        model.opset_import.append(helper.make_opsetid(CONTRIB, 1))


class _Store:
    """Matrices by name, and the nodes and weights that take their place."""

    def __init__(self, matrices: dict[str, onnx.TensorProto]) -> None:
        self.matrices = matrices
        self.builder = GraphBuilder("stored")
        self._linears: dict[str, Int8Linear] = {}
        self._tables: dict[str, Int8Table] = {}

    def product(self, x: str, name: str, output: str, *, transposed: bool) -> list[onnx.NodeProto]:
        """Multiply x with a matrix (N, K), or (K, N) where it has to be transposed."""
        key = f"{name}.T" if transposed else name
        if key not in self._linears:
            matrix = self._array(name)
            self._linears[key] = Int8Precision().linear(self.builder, matrix.T if transposed else matrix, None)
        return self._nodes(self._linears[key](self.builder, x), output)

    def look_up(self, table: str, ids: str, output: str) -> list[onnx.NodeProto]:
        """Rows of a table, shape (batch, L, width)."""
        if table not in self._tables:
            self._tables[table] = Int8Precision().table(self.builder, self._array(table))
        return self._nodes(self._tables[table].rows(self.builder, ids), output)

    def _array(self, name: str) -> NDArray[Any]:
        return numpy_helper.to_array(self.matrices[name])

    def _nodes(self, result: str, output: str) -> list[onnx.NodeProto]:
        """What was added last, its result called like the output of the node it replaces."""
        nodes = self.builder.take()
        (last,) = (node for node in nodes if result in node.output)
        last.output[:] = [output]
        return nodes


def _is_matrix(tensor: onnx.TensorProto) -> bool:
    return len(tensor.dims) == MATRIX and tensor.data_type == onnx.TensorProto.FLOAT


def _replaced(node: onnx.NodeProto, store: _Store, table_rows: int) -> Iterator[onnx.NodeProto]:
    options = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    if node.op_type == "MatMul" and node.input[1] in store.matrices:
        yield from store.product(node.input[0], node.input[1], node.output[0], transposed=True)
    elif node.op_type == "Gemm" and node.input[1] in store.matrices and _is_plain(options):
        yield from _gemm(node, store, transposed=not options.get("transB", 0))
    elif node.op_type == "Gather" and _looks_up_tokens(node, options, store, table_rows):
        yield from store.look_up(node.input[0], node.input[1], node.output[0])
    else:
        yield node


def _is_plain(options: dict[str, Any]) -> bool:
    """Whether a Gemm is a product and a bias, without factors."""
    return options.get("alpha", 1.0) == options.get("beta", 1.0) == 1.0 and not options.get("transA", 0)


def _looks_up_tokens(node: onnx.NodeProto, options: dict[str, Any], store: _Store, table_rows: int) -> bool:
    table = store.matrices.get(node.input[0])
    return table is not None and table.dims[0] == table_rows and not options.get("axis", 0)


def _gemm(node: onnx.NodeProto, store: _Store, *, transposed: bool) -> Iterator[onnx.NodeProto]:
    x, matrix, *bias = node.input
    output = node.output[0]
    product = f"{output}/product" if bias else output
    yield from store.product(x, matrix, product, transposed=transposed)
    if bias:
        yield helper.make_node("Add", [product, bias[0]], [output], f"{output}/Add")


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
