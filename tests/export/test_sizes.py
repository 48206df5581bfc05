"""Shapes that the graphs tell ONNX Runtime: enough of them, and true."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from .fixture_types import Repositories

GRAPHS = ("whisper_encoder", "whisper_decoder", "whisper_aligner")
PRECISIONS = ("fp32", "int8")
TYPES = {"tensor(float)": np.float32, "tensor(int32)": np.int32, "tensor(int64)": np.int64}
UNKNOWN_SHARE = 0.08
"""Of the values of a graph: those that round activations, and a few at the ends."""
Shape = list[Any]


def all_given(path: Path, folder: Path) -> onnxruntime.InferenceSession:
    """Open a graph that gives every value of its outermost part, as it was written."""
    model = onnx.load(path)
    given = {output.name for output in model.graph.output}
    made = [name for node in model.graph.node for name in node.output if name not in given]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in made)
    onnx.save(model, folder / "open.onnx")
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(folder / "open.onnx", options, providers=["CPUExecutionProvider"])


def told(path: Path) -> dict[str, Shape]:
    """The shapes that the file tells, of values in the outermost part."""
    info = onnx.load(path, load_external_data=False).graph.value_info
    return {value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in info}


def feeds(session: onnxruntime.InferenceSession, rows: int) -> dict[str, Any]:
    rng = np.random.default_rng(5)
    inputs = {}
    for node in session.get_inputs():
        shape = [rows, *node.shape[1:]]
        values = rng.integers(2, 9, shape) if "int" in node.type else rng.standard_normal(shape)
        inputs[node.name] = values.astype(TYPES[node.type])
    return inputs


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", GRAPHS)
def test_nearly_every_shape_is_known(repository: Repositories, tmp_path: Path, name: str, precision: str) -> None:
    session = all_given(repository("multilingual", precision) / name / "1" / "model.onnx", tmp_path)
    shapes = [output.shape for output in session.get_outputs()]
    unknown = sum(any(dim is None or str(dim).startswith("unk__") for dim in shape) for shape in shapes)
    assert unknown <= UNKNOWN_SHARE * len(shapes)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", GRAPHS)
def test_the_told_shapes_are_true(repository: Repositories, tmp_path: Path, name: str, precision: str) -> None:
    path = repository("multilingual", precision) / name / "1" / "model.onnx"
    session, shapes = all_given(path, tmp_path), told(path)
    assert shapes
    for rows in (1, 3):
        results = session.run(list(shapes), feeds(session, rows))
        sizes: dict[str, int] = {"batch": rows}
        for (value, shape), result in zip(shapes.items(), results, strict=True):
            assert len(shape) == result.ndim, value
            for dim, size in zip(shape, result.shape, strict=True):
                expected = sizes.setdefault(dim, size) if isinstance(dim, str) else dim
                assert expected == size, (value, dim)
