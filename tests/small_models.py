"""Models of a few nodes, and their place in a repository."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

BATCH = "n"


def make_graph(
    nodes: Sequence[onnx.NodeProto],
    inputs: dict[str, tuple[int, list[Any]]],
    outputs: dict[str, tuple[int, list[Any]]],
    constants: dict[str, np.ndarray[Any, Any]] | None = None,
) -> onnx.ModelProto:
    tensors = [onnx.numpy_helper.from_array(value, name) for name, value in (constants or {}).items()]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(name, *what) for name, what in inputs.items()],
        [helper.make_tensor_value_info(name, *what) for name, what in outputs.items()],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def make_plus_one(shape: Sequence[Any] = (BATCH, "m"), data_type: int = TensorProto.FLOAT) -> onnx.ModelProto:
    """y = x + 1."""
    one = np.ones((), helper.tensor_dtype_to_np_dtype(data_type))
    tensor = (data_type, list(shape))
    return make_graph([helper.make_node("Add", ["x", "one"], ["y"])], {"x": tensor}, {"y": tensor}, {"one": one})


def make_slow() -> onnx.ModelProto:
    """Multiplies matrices as often as `x` says, [[rounds]], and gives as much back as `y`."""
    i, keep, state = (helper.make_tensor_value_info(*each) for each in (("i", 7, []), ("c", 9, []), ("s", 1, ["n", 1])))
    more, grown = (helper.make_tensor_value_info(*each) for each in (("c2", 9, []), ("s2", 1, ["n", 1])))
    body_nodes = [
        helper.make_node("Identity", ["c"], ["c2"]),
        helper.make_node("ReduceMax", ["s"], ["most"], keepdims=0),
        helper.make_node("Add", ["big", "most"], ["moved"]),  # else every round were the same, and worked out once
        helper.make_node("MatMul", ["moved", "big"], ["product"]),
        helper.make_node("ReduceSum", ["product"], ["total"], keepdims=0),
        helper.make_node("Add", ["s", "total"], ["s2"]),
    ]
    body = helper.make_graph(body_nodes, "body", [i, keep, state], [more, grown])
    nodes = [
        helper.make_node("Cast", ["x"], ["rounds"], to=TensorProto.INT64),
        helper.make_node("ReduceMax", ["rounds"], ["limit"], keepdims=0),
        helper.make_node("Loop", ["limit", "go", "x"], ["y"], body=body),
    ]
    tensor = (TensorProto.FLOAT, ["n", 1])
    constants = {"go": np.array(True), "big": np.zeros((400, 400), np.float32)}
    return make_graph(nodes, {"x": tensor}, {"y": tensor}, constants)


def add_model(
    repository: Path,
    name: str,
    graph: onnx.ModelProto | bytes | None,
    extra: str = "",
    *,
    max_batch_size: int = 8,
    x: str = 'name: "x" data_type: TYPE_FP32 dims: [-1]',
    y: str = 'name: "y" data_type: TYPE_FP32 dims: [-1]',
    kind: str = "KIND_CPU",
    file: str = "model.onnx",
) -> Path:
    """Put a model into a repository; the tensors default to those of `plus_one`."""
    version = repository / name / "1"
    version.mkdir(parents=True)
    if graph is not None:
        (version / file).write_bytes(graph if isinstance(graph, bytes) else graph.SerializeToString())
    instances = "" if "instance_group" in extra else f"instance_group {{ count: 1 kind: {kind} }}\n"
    threads = 'parameters { key: "intra_op_thread_count" value { string_value: "1" } }\n'
    (repository / name / "config.pbtxt").write_text(
        f'backend: "onnxruntime"\nmax_batch_size: {max_batch_size}\ninput {{ {x} }}\noutput {{ {y} }}\n'
        f"{instances}{'' if 'intra_op' in extra else threads}{extra}"
    )
    return repository / name
