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
