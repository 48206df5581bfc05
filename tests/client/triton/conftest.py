"""A small model repository that keeps the wire contract without any weights, and a real Triton over it.

Its recogniser hears the first samples of the window as bytes of the text; the tokenizer is the made-up server's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from callscope_server.environment import Environment
    from callscope_server.launcher import TritonServer

TYPES = {
    "INT16": TensorProto.INT16,
    "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64,
    "FP32": TensorProto.FLOAT,
    "UINT8": TensorProto.UINT8,
}
TOKENS = 64
BATCH = 8


@dataclass(frozen=True)
class Tensor:
    """An input or output: name, Triton's type, shape without the batch."""

    name: str
    kind: str
    dims: tuple[int, ...]


def value(tensor: Tensor, *, batched: bool) -> onnx.ValueInfoProto:
    shape = [None if size < 0 else size for size in tensor.dims]
    return helper.make_tensor_value_info(tensor.name, TYPES[tensor.kind], ["batch", *shape] if batched else shape)


def lines(what: str, tensors: list[Tensor]) -> str:
    entries = (
        f'{{ name: "{t.name}" data_type: TYPE_{t.kind} dims: [ {", ".join(map(str, t.dims))} ] }}' for t in tensors
    )
    return f"{what} [ {', '.join(entries)} ]"


def save(
    folder: Path,
    nodes: list[onnx.NodeProto],
    inputs: list[Tensor],
    outputs: list[Tensor],
    *,
    constants: Mapping[str, np.ndarray] = {},
    parameters: Mapping[str, str] = {},
    batch: int = BATCH,
    more: str = "",
    versions: tuple[str, ...] = ("1",),
) -> None:
    """Write one model: graph and config.pbtxt."""
    graph = helper.make_graph(
        nodes,
        folder.name,
        [value(tensor, batched=batch > 0) for tensor in inputs],
        [value(tensor, batched=batch > 0) for tensor in outputs],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    for version in versions:
        (folder / version).mkdir(parents=True)
        onnx.save(model, folder / version / "model.onnx")
    described = "".join(
        f'parameters {{ key: "{key}" value {{ string_value: {json.dumps(text)} }} }}\n'
        for key, text in parameters.items()
    )
    (folder / "config.pbtxt").write_text(
        f'name: "{folder.name}"\nbackend: "onnxruntime"\nmax_batch_size: {batch}\n{lines("input", inputs)}\n'
        f"{lines('output', outputs)}\ninstance_group [ {{ count: 1 kind: KIND_CPU }} ]\n{described}{more}\n"
    )


def save_recogniser(folder: Path, parameters: Mapping[str, str]) -> None:
    """Tokens are the first samples; the language is the one asked for, or the third token's when asked to detect."""
    node = helper.make_node
    nodes = [
        node("Slice", ["audio", "from", "to", "axis"], ["heard"]),
        node("Cast", ["heard"], ["tokens"], to=TensorProto.INT32),
        node("Cast", ["heard"], ["scaled"], to=TensorProto.FLOAT),
        node("Mul", ["scaled", "thousandth"], ["logprobs"]),
        node("Less", ["language", "zero"], ["detect"]),
        node("Where", ["detect", "english", "language"], ["chosen_language"]),
        node("Mul", ["temperature", "nothing"], ["off"]),
        node("Add", ["off", "likely"], ["language_probability"]),
        node("Add", ["off", "unlikely"], ["no_speech_probability"]),
    ]
    options = [
        Tensor("language", "INT32", (1,)),
        Tensor("task", "INT32", (1,)),
        Tensor("max_tokens", "INT32", (1,)),
        Tensor("temperature", "FP32", (1,)),
    ]
    probabilities = [Tensor("language_probability", "FP32", (1,)), Tensor("no_speech_probability", "FP32", (1,))]
    save(
        folder,
        nodes,
        [Tensor("audio", "INT16", (int(parameters["window_samples"]),)), *options],
        [
            Tensor("tokens", "INT32", (TOKENS,)),
            Tensor("logprobs", "FP32", (TOKENS,)),
            Tensor("chosen_language", "INT32", (1,)),
            *probabilities,
        ],
        constants={
            "from": np.array([0]),
            "to": np.array([TOKENS]),
            "axis": np.array([1]),
            "thousandth": np.array(-0.001, np.float32),
            "zero": np.array(0, np.int32),
            "english": np.array(300, np.int32),
            "nothing": np.array(0, np.float32),
            "likely": np.array(0.9, np.float32),
            "unlikely": np.array(0.01, np.float32),
        },
        parameters=dict(parameters) | {"max_tokens": str(TOKENS)},
        more="dynamic_batching { }",
    )


def save_file(folder: Path, data: bytes) -> None:
    """A model that serves a file, slice by slice."""
    nodes = [
        helper.make_node("Add", ["offset", "length"], ["end"]),
        helper.make_node("Slice", ["file", "offset", "end", "axis"], ["bytes"]),
    ]
    save(
        folder,
        nodes,
        [Tensor("offset", "INT64", (1,)), Tensor("length", "INT64", (1,))],
        [Tensor("bytes", "UINT8", (-1,))],
        constants={"file": np.frombuffer(data, np.uint8), "axis": np.array([0])},
        parameters={"contract": "1", "size_bytes": str(len(data))},
        batch=0,
    )


def save_sleeper(folder: Path) -> None:
    """Multiplies a matrix as often as it is asked to; takes one request at a time and lets one wait."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("MatMul", ["held", "matrix"], ["product"])],
        "body",
        [
            helper.make_tensor_value_info("round", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("held", TensorProto.FLOAT, [128, 128]),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("product", TensorProto.FLOAT, [128, 128]),
        ],
    )
    nodes = [
        helper.make_node("ReduceMax", ["rounds"], ["most"], keepdims=0),
        helper.make_node("Loop", ["most", "", "matrix"], ["last"], body=body),
        helper.make_node("ReduceSum", ["last"], ["sum"], keepdims=0),
        helper.make_node("Cast", ["rounds"], ["as_float"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["as_float", "sum"], ["done"]),
    ]
    save(
        folder,
        nodes,
        [Tensor("rounds", "INT64", (1,))],
        [Tensor("done", "FP32", (1,))],
        constants={"matrix": np.zeros((128, 128), np.float32)},
        batch=1,
        more="dynamic_batching { default_queue_policy { max_queue_size: 1 } }",
    )


def save_echo(folder: Path) -> None:
    """Gives back what it is given, of any length; two of its three versions are served, the last by default."""
    node = helper.make_node("Identity", ["x"], ["y"])
    tensors = [Tensor("x", "FP32", (-1,))], [Tensor("y", "FP32", (-1,))]
    policy = "version_policy { specific { versions: [ 1, 2 ] } }"
    save(folder, [node], *tensors, batch=0, more=policy, versions=("1", "2", "10"))


@pytest.fixture(scope="session")
def small_triton(
    tmp_path_factory: pytest.TempPathFactory,
    server_environment: Environment,
    whisper_description: dict[str, str],
    tokenizer_json: bytes,
) -> Iterator[TritonServer]:
    """A tritonserver over the small repository."""
    from callscope_server.launcher import TritonServer  # noqa: PLC0415  most tests need no server

    folder = tmp_path_factory.mktemp("repository")
    save_recogniser(folder / "transcribe", whisper_description)
    save_file(folder / "whisper_tokenizer", tokenizer_json)
    save_sleeper(folder / "sleeper")
    save_echo(folder / "echo")
    log_file = tmp_path_factory.mktemp("log") / "triton.log"
    with TritonServer(folder, environment=server_environment, log_file=log_file) as server:
        yield server
