"""An ONNX graph, written node by node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, DTypeLike
from onnx import helper, numpy_helper

OPSET = 17
IR_VERSION = 9


class Graph:
    """Collects nodes and constants; values go by their names."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, value: ArrayLike, dtype: DTypeLike = np.float32) -> str:
        """The name of a constant."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401  # as ONNX has them
        """Append a node; the name of its output."""
        name = f"value_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def finish(self, source: str, shape: Sequence[int | str], result: str) -> bytes:
        """A model of one float32 input, `source`, and the output `result`, serialized."""
        taken = helper.make_tensor_value_info(source, onnx.TensorProto.FLOAT, shape)
        given = helper.make_tensor_value_info(result, onnx.TensorProto.FLOAT, None)
        graph = helper.make_graph(self._nodes, source, [taken], [given], self._constants)
        opsets = [helper.make_opsetid("", OPSET)]
        return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION).SerializeToString())
