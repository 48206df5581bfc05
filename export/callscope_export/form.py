"""A graph that another tool wrote, brought into the contract's form: its inputs, its outputs, its padding."""

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import helper, numpy_helper

from .contract import Signature, Tensor

_TYPES = {"FP32": onnx.TensorProto.FLOAT, "INT64": onnx.TensorProto.INT64, "BOOL": onnx.TensorProto.BOOL}


def keep_to(model: onnx.ModelProto, signature: Signature, padding: int, given: Mapping[str, str]) -> None:
    """Give a graph, in place, the inputs and the outputs of the contract.

    What the mask hides becomes the checkpoint's padding token, whatever a client fills up with: some architectures
    count positions by it, others take their mask from it. All tokens are of the first type.

    Args:
        model: A graph of `input_ids`, and perhaps of `attention_mask` and `token_type_ids`.
        signature: The contract.
        padding: The padding token.
        given: The graph's outputs, and what the contract calls them.
    """
    graph = model.graph
    constants = {"text.zero": np.int64(0), "text.padding": np.int64(padding)}
    nodes = [
        helper.make_node("Equal", ["attention_mask", "text.zero"], ["text.hidden"]),
        helper.make_node("Where", ["text.hidden", "text.padding", "input_ids"], ["text.ids"]),
        helper.make_node("Mul", ["input_ids", "text.zero"], ["text.types"]),
    ]
    names = {tensor.name: f"text.inner.{tensor.name}" for tensor in signature.outputs}
    names |= {"input_ids": "text.ids", "token_type_ids": "text.types"}
    names |= {name: f"text.{output}" for name, output in given.items()}
    _rename(graph, names | _without_aliases(graph))
    casts = [
        helper.make_node("Cast", [f"text.{tensor.name}"], [tensor.name], to=_TYPES[tensor.dtype])
        for tensor in signature.outputs
    ]
    nodes += [*graph.node, *casts]
    del graph.node[:], graph.input[:], graph.output[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend(numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items())
    graph.input.extend(map(_value_info, signature.inputs))
    graph.output.extend(map(_value_info, signature.outputs))


def _without_aliases(graph: onnx.GraphProto) -> dict[str, str]:
    """Take out the nodes by which layers that share a weight know it under other names; return those names."""
    weights = {tensor.name for tensor in graph.initializer}
    aliases = [node for node in graph.node if node.op_type == "Identity" and node.input[0] in weights]
    for node in aliases:
        graph.node.remove(node)
    return {node.output[0]: node.input[0] for node in aliases}


def _rename(graph: onnx.GraphProto, names: Mapping[str, str]) -> None:
    for tensor in graph.initializer:
        tensor.name = names.get(tensor.name, tensor.name)
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
        for attribute in node.attribute:
            _rename(attribute.g, names)


def _value_info(tensor: Tensor) -> onnx.ValueInfoProto:
    dims = ["batch", *(_named(axis, dim) for axis, dim in enumerate(tensor.dims))]
    return helper.make_tensor_value_info(tensor.name, _TYPES[tensor.dtype], dims)


def _named(axis: int, dim: int | str) -> int | str:
    """A dimension's number, or a name: that of the text's tokens first."""
    return dim if dim != -1 else f"size_{axis}" if axis else "length"
