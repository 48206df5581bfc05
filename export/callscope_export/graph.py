"""A small writer of ONNX graphs: operators in, protobuf out.

A value is known by its name. Weights always belong to the outermost graph, where loop bodies and branches see them as
outer-scope values, so that a weight used in several places is stored once. They stay arrays beside the protobuf
message, which ends at 2 GiB and would hold them a second time.
"""

import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from .contract import Signature, Tensor

OPSET = 20
IR_VERSION = 9
CONTRIB = "com.microsoft"

Array = NDArray[Any]
Attribute = int | float | str | list[int] | onnx.GraphProto

_ONNX_TYPES = {
    "INT16": onnx.TensorProto.INT16,
    "INT32": onnx.TensorProto.INT32,
    "INT64": onnx.TensorProto.INT64,
    "UINT8": onnx.TensorProto.UINT8,
    "BOOL": onnx.TensorProto.BOOL,
    "FP16": onnx.TensorProto.FLOAT16,
    "FP32": onnx.TensorProto.FLOAT,
}


@dataclass(frozen=True, slots=True)
class Graph:
    """A whole graph, ready to be written to a file.

    Attributes:
        bare: The model without its weights: inputs, nodes, outputs.
        weights: The initializers by their names, in the order in which they are stored.
    """

    bare: onnx.ModelProto
    weights: Mapping[str, Array]

    @classmethod
    def of(cls, model: onnx.ModelProto) -> Self:
        """Part a model that another tool made from its weights."""
        bare = onnx.ModelProto()
        bare.CopyFrom(model)
        del bare.graph.initializer[:]
        return cls(bare, {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer})

    @property
    def size_bytes(self) -> int:
        """The size of its one file, within a thousandth."""
        return int(self.bare.ByteSize()) + sum(array.nbytes for array in self.weights.values())

    def whole(self) -> onnx.ModelProto:
        """Copy the weights into the model; beyond 2 GiB no file can hold that."""
        model = onnx.ModelProto()
        model.CopyFrom(self.bare)
        for name, array in self.weights.items():
            model.graph.initializer.append(numpy_helper.from_array(array, name))
        return model


class GraphBuilder:
    """The nodes of one graph, or of a body inside one, in the order they are added."""

    def __init__(self, name: str, outer: Self | None = None) -> None:
        self._name = name
        self._outer = outer
        self._nodes: list[onnx.NodeProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._sizes: list[onnx.ValueInfoProto] = []
        self._given: dict[str, str] = {}
        self._weights: dict[str, tuple[str, Array]] = {}
        self._numbers = itertools.count()

    @property
    def _root(self) -> "GraphBuilder":
        return self._outer._root if self._outer else self

    def op(self, op_type: str, *inputs: str, domain: str = "", **attributes: Attribute) -> str:
        """Add an operator with one output and return that output's name."""
        return self.ops(op_type, *inputs, outputs=1, domain=domain, **attributes)[0]

    def ops(self, op_type: str, *inputs: str, outputs: int, domain: str = "", **attributes: Attribute) -> list[str]:
        """Add an operator with several outputs and return their names."""
        name = f"{op_type}_{next(self._root._numbers)}"
        names = [name if outputs == 1 else f"{name}_{index}" for index in range(outputs)]
        self._nodes.append(helper.make_node(op_type, list(inputs), names, name, None, domain, None, **attributes))
        return names

    def constant(self, value: Array | np.generic) -> str:
        """Store an array with the outermost graph, once however often its content is asked for."""
        array = np.ascontiguousarray(value).reshape(value.shape)
        digest = hashlib.sha256(f"{array.dtype}{array.shape}".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
        weights = self._root._weights
        name, _ = weights.setdefault(digest.hexdigest(), (f"constant_{len(weights)}", array))
        return name

    def integers(self, *values: int) -> str:
        """Store a vector of INT64, such as a shape or a list of axes."""
        return self.constant(np.array(values, dtype=np.int64))

    def input(self, tensor: Tensor, *, batched: bool = False) -> str:
        """Declare an input and return its name."""
        self._inputs.append(_value_info(tensor, batched=batched))
        return tensor.name

    def output(self, tensor: Tensor, value: str, *, batched: bool = False) -> None:
        """Give a value to the outside under the tensor's name."""
        self._given[tensor.name] = value
        self._outputs.append(_value_info(tensor, batched=batched))

    def result(self, value: str, dtype: str) -> None:
        """Give a value of any shape out of a branch."""
        self._outputs.append(helper.make_tensor_value_info(value, _ONNX_TYPES[dtype], None))

    def sized(self, value: str, dtype: str, *dims: int | str) -> str:
        """Tell a value's shape where ONNX Runtime cannot infer it, a free dimension by a name, and return the value.

        It looks for memory to use again among all values of unknown shape: time in the square of their number, at load.
        Dimensions of one name are of one size.
        """
        self._sizes.append(helper.make_tensor_value_info(value, _ONNX_TYPES[dtype], dims))
        return value

    def take(self) -> list[onnx.NodeProto]:
        """Hand over the nodes that were added since the last time, for another graph."""
        nodes, self._nodes = self._nodes, []
        return nodes

    @property
    def weights(self) -> dict[str, Array]:
        """All that was stored with the outermost graph, by name."""
        return dict(self._root._weights.values())

    def body(self, name: str) -> "GraphBuilder":
        """Open a graph inside this one, for the `body` of a Loop or a branch of an If."""
        return GraphBuilder(name, outer=self)

    def graph(self) -> onnx.GraphProto:
        """Close a body or a branch; nothing that no output needs comes along."""
        return self._closed()[0]

    def whole(self) -> Graph:
        """Close the outermost graph, of opset `OPSET` and IR version `IR_VERSION`, with the weights it needs."""
        closed, needed = self._closed()
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
        bare = helper.make_model(
            closed,
            opset_imports=opsets,
            ir_version=IR_VERSION,
            producer_name="callscope_export",
        )
        return Graph(bare, {name: array for name, array in self._weights.values() if name in needed})

    def _closed(self) -> tuple[onnx.GraphProto, set[str]]:
        """Make the message, and name every value that is needed."""
        nodes, needed = _needed(_named(self._nodes, self._given), {output.name for output in self._outputs})
        made = {name for node in nodes for name in node.output}
        sizes = [size for size in self._sizes if size.name in made]
        return helper.make_graph(nodes, self._name, self._inputs, self._outputs, value_info=sizes), needed


def finish(graph: GraphBuilder, signature: Signature, values: dict[str, str]) -> Graph:
    """Give every output of the signature its value and close the graph."""
    for tensor in signature.outputs:
        graph.output(tensor, values[tensor.name], batched=signature.batched)
    return graph.whole()


def _named(nodes: list[onnx.NodeProto], given: dict[str, str]) -> list[onnx.NodeProto]:
    """Call every output's value by the output's name; one that no node makes, or two outputs share, is copied.

    A copy of what a loop carries would be made at every step.
    """
    made = {name for node in nodes for name in node.output}
    values = list(given.values())
    renamed = {value: name for name, value in given.items() if value in made and values.count(value) == 1}
    copies = [(value, name) for name, value in given.items() if value not in renamed]
    for node in nodes:
        _rename(node, renamed)
    return nodes + [helper.make_node("Identity", [value], [name], name=f"output_{name}") for value, name in copies]


def _rename(node: onnx.NodeProto, names: dict[str, str]) -> None:
    """Change the names of values that a node reads and makes, those that its bodies read included."""
    node.input[:] = [names.get(name, name) for name in node.input]
    node.output[:] = [names.get(name, name) for name in node.output]
    for attribute in node.attribute:
        for inner in attribute.g.node:
            _rename(inner, names)


def _needed(nodes: list[onnx.NodeProto], outputs: set[str]) -> tuple[list[onnx.NodeProto], set[str]]:
    """Keep the nodes that the outputs need, and name every value that is needed."""
    kept, needed = [], set(outputs)
    for node in reversed(nodes):
        if needed.intersection(node.output):
            kept.append(node)
            needed |= _read(node)
    return kept[::-1], needed


def _read(node: onnx.NodeProto) -> set[str]:
    """Name the values that a node reads, those that its bodies read included."""
    names = set(node.input)
    for attribute in node.attribute:
        for inner in attribute.g.node:
            names |= _read(inner)
        names |= {output.name for output in attribute.g.output}
    return names


def _value_info(tensor: Tensor, *, batched: bool) -> onnx.ValueInfoProto:
    dims = [f"{tensor.name}_{axis}" if dim == -1 else dim for axis, dim in enumerate(tensor.dims)]
    shape = ["batch", *dims] if batched else dims
    return helper.make_tensor_value_info(tensor.name, _ONNX_TYPES[tensor.dtype], shape)
