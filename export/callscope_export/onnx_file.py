"""The bytes of a graph's one file, made part by part.

protobuf would hold the weights three times more while it writes them. In its encoding a message is its fields one after
another, those of messages and bytes after their length, so that all but the weights can be left to it.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from .graph import Array, Graph

_LENGTH_DELIMITED = 2
_VARINT_BITS = 7


def file_parts(graph: Graph) -> Iterator[bytes | memoryview]:
    """Give what `graph.whole().SerializeToString()` gives, in parts that together are the weights and little more."""
    before, after = _around(graph.bare, "graph")
    opening, ending = _around(graph.bare.graph, "initializer")
    heads = [_head(name, array) for name, array in graph.weights.items()]
    sizes = [len(head) + array.nbytes for head, array in zip(heads, graph.weights.values(), strict=True)]
    starts = [_start(graph.bare.graph, "initializer", size) for size in sizes]
    inside = len(opening) + len(ending) + sum(sizes) + sum(map(len, starts))
    yield before + _start(graph.bare, "graph", inside) + opening
    for start, head, array in zip(starts, heads, graph.weights.values(), strict=True):
        yield start + head
        yield array.reshape(-1).view(np.uint8).data
    yield ending + after


def _head(name: str, array: Array) -> bytes:
    """Everything of a tensor that stands before its content."""
    tensor = TensorProto(name=name, dims=array.shape, data_type=helper.np_dtype_to_tensor_dtype(array.dtype))
    return bytes(tensor.SerializeToString() + _start(tensor, "raw_data", array.nbytes))


def _around(message: Any, field: str) -> tuple[bytes, bytes]:  # noqa: ANN401  any of protobuf's
    """Encode the fields of a message before and after one of them."""
    before, after = type(message)(), type(message)()
    before.CopyFrom(message)
    after.CopyFrom(message)
    number = message.DESCRIPTOR.fields_by_name[field].number
    for other, _ in message.ListFields():
        if other.number >= number:
            before.ClearField(other.name)
        if other.number <= number:
            after.ClearField(other.name)
    return before.SerializeToString(), after.SerializeToString()


def _start(message: Any, field: str, size: int) -> bytes:  # noqa: ANN401  as above
    """Encode a field's number and the length of its content."""
    number = message.DESCRIPTOR.fields_by_name[field].number
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(size)


def _varint(number: int) -> bytes:
    digits = bytearray()
    while number >> _VARINT_BITS:
        digits.append(number & 0x7F | 0x80)
        number >>= _VARINT_BITS
    return bytes([*digits, number])
