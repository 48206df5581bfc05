"""Models that must not load, and what the user is told about each."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto

from callscope_server import Environment, RepositoryInvalid, TritonServer

TENSOR = 'name: "{}" data_type: TYPE_{} dims: [{}]'


@dataclass(frozen=True)
class Bad:
    """How a model differs from one that loads, and the words its error must hold."""

    said: str
    config: dict[str, Any] = field(default_factory=dict)
    extra: str = ""


def option(key: str, value: str) -> str:
    return f'parameters {{ key: "{key}" value {{ string_value: "{value}" }} }}\n'


BAD = {
    "input_name": Bad("the graph has no input z; it has x", {"x": TENSOR.format("z", "FP32", -1)}),
    "output_name": Bad("the graph has no output z; it has y", {"y": TENSOR.format("z", "FP32", -1)}),
    "input_type": Bad(
        "input x is TYPE_INT32 in config.pbtxt and tensor(float)", {"x": TENSOR.format("x", "INT32", -1)}
    ),
    "output_type": Bad(
        "output y is TYPE_FP16 in config.pbtxt and tensor(float)", {"y": TENSOR.format("y", "FP16", -1)}
    ),
    "string_type": Bad("TYPE_STRING, which is not supported", {"x": TENSOR.format("x", "STRING", -1)}),
    "input_rank": Bad("input x has dims [-1, 4] in config.pbtxt and [-1]", {"x": TENSOR.format("x", "FP32", "-1, 4")}),
    "output_rank": Bad("output y has dims [1, 1] in config.pbtxt", {"y": TENSOR.format("y", "FP32", "1, 1")}),
    "not_batched": Bad("input x has dims [-1] in config.pbtxt and [-1, -1]", {"max_batch_size": 0}),
    "ragged": Bad("allow_ragged_batch of input x", {"x": TENSOR.format("x", "FP32", -1) + " allow_ragged_batch: true"}),
    "optional": Bad("input x is optional", {"x": TENSOR.format("x", "FP32", -1) + " optional: true"}),
    "misspelt": Bad(
        "intra_op_threads_count is not an option, and intra_op_thread_count is",
        extra=option("intra_op_threads_count", "1"),
    ),
    "threads": Bad("intra_op_thread_count is 'many'", extra=option("intra_op_thread_count", "many")),
    "mode": Bad("execution_mode is '2'", extra=option("execution_mode", "2")),
    "sharing": Bad(
        "share_session_between_instances is not supported", extra=option("share_session_between_instances", "true")
    ),
    "session_entry": Bad(
        "session.disable_prepacking is not supported", extra=option("session.disable_prepacking", "1")
    ),
    "cuda_on_cpu": Bad("gpu_mem_limit is for a GPU", extra=option("gpu_mem_limit", "1000")),
    "level": Bad("optimization.graph.level is 7", extra="optimization { graph { level: 7 } }\n"),
    "tensorrt": Bad(
        "optimization.execution_accelerators is not supported",
        extra='optimization { execution_accelerators { gpu_execution_accelerator { name: "tensorrt" } } }\n',
    ),
    "batch_input": Bad(
        "batch_input is not supported",
        extra='batch_input { kind: BATCH_ELEMENT_COUNT target_name: "k" data_type: TYPE_FP32 source_input: "x" }\n',
    ),
    "decoupled": Bad(
        "model_transaction_policy.decoupled is not supported", extra="model_transaction_policy { decoupled: true }\n"
    ),
    "model_kind": Bad("KIND_MODEL are not supported", {"kind": "KIND_MODEL"}),
    "file_name": Bad("there is no graph at", extra='default_model_filename: "gone.onnx"\n'),
    "unknown_field": Bad("no_such_field", extra="no_such_field: 1\n"),
}


@pytest.fixture(scope="module")
def message(
    tmp_path_factory: pytest.TempPathFactory,
    environment: Environment,
    model: Callable[..., Path],
    plus_one: Callable[..., onnx.ModelProto],
    graph: Callable[..., onnx.ModelProto],
) -> str:
    """What one start over a repository of bad models, and a good one, says."""
    root = tmp_path_factory.mktemp("bad")
    model(root, "good", plus_one())
    for name, bad in BAD.items():
        model(root, name, plus_one(), bad.extra, **bad.config)
    model(root, "corrupt", b"this is no graph")
    model(root, "truncated", plus_one().SerializeToString()[:-40])
    model(root, "empty", b"")
    model(root, "fixed_batch", plus_one([2, "m"]))
    model(root, "unnamed_input", _sum(graph))
    _lose_weights(model(root, "lost_weights", None), plus_one())
    shutil.rmtree(model(root, "no_version", plus_one()) / "1")
    with pytest.raises(RepositoryInvalid) as caught, TritonServer(root, environment=environment):
        pass
    assert caught.value.exit_code == 5
    return str(caught.value)


def _sum(graph: Callable[..., onnx.ModelProto]) -> onnx.ModelProto:
    tensor = (TensorProto.FLOAT, ["n", "m"])
    return graph([onnx.helper.make_node("Add", ["x", "second"], ["y"])], {"x": tensor, "second": tensor}, {"y": tensor})


def _lose_weights(folder: Path, proto: onnx.ModelProto) -> None:
    onnx.save(proto, folder / "1" / "model.onnx", save_as_external_data=True, location="weights.data", size_threshold=0)
    (folder / "1" / "weights.data").unlink()


def said_of(message: str, name: str) -> str:
    return message.partition(f"Model '{name}' does not load: ")[2].partition(" Model '")[0]


@pytest.mark.parametrize("name", BAD)
def test_what_the_backend_cannot_honour_is_refused_by_name(message: str, name: str) -> None:
    assert BAD[name].said in said_of(message, name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("corrupt", "ONNX Runtime cannot open"),
        ("truncated", "ONNX Runtime cannot open"),
        ("empty", "ONNX Runtime cannot open"),
        ("fixed_batch", "input x has a first dimension of 2 in the graph"),
        ("unnamed_input", "the graph needs the input second"),
        ("lost_weights", "weights.data"),
        ("no_version", "at least one version"),
    ],
)
def test_a_graph_that_cannot_be_opened_is_named_with_the_reason(message: str, name: str, said: str) -> None:
    assert said in said_of(message, name)


def test_the_message_holds_no_traceback_and_does_not_blame_the_good_model(message: str) -> None:
    assert "Traceback" not in message
    assert "At:" not in message
    assert "\n" not in message
    assert said_of(message, "good") == ""


def test_a_gpu_instance_does_not_fall_back_to_the_cpu(
    tmp_path: Path, environment: Environment, model: Callable[..., Path], plus_one: Callable[..., onnx.ModelProto]
) -> None:
    model(tmp_path, "gpu", plus_one(), kind="KIND_GPU")
    with (
        pytest.raises(RepositoryInvalid, match=r"gpu.*(CUDA|GPU|KIND_GPU)"),
        TritonServer(tmp_path, environment=environment),
    ):
        pass


def test_an_ensemble_is_not_blamed_for_its_broken_step(
    tmp_path: Path, environment: Environment, model: Callable[..., Path]
) -> None:
    model(tmp_path, "step", b"this is no graph")
    add_ensemble(tmp_path, "whole")
    with pytest.raises(RepositoryInvalid) as caught, TritonServer(tmp_path, environment=environment):
        pass
    assert said_of(str(caught.value), "step")
    assert not said_of(str(caught.value), "whole")


ENSEMBLES = {
    "wide": ({"batch": 64}, "ensemble wide allows maximum batch size 64, but it contains model step"),
    "lost": ({"step": "gone"}, "ensemble lost contains models that are not available or ambiguous: gone"),
    "misnamed": ({"x": "z"}, "ensemble tensor a is mapping to non-existing input z in model step"),
    "mistyped": ({"kind": "INT32"}, "inconsistent data type: TYPE_INT32 is inferred from model mistyped"),
}


def add_ensemble(
    root: Path, name: str, *, batch: int = 8, step: str = "step", x: str = "x", kind: str = "FP32"
) -> None:
    (root / name / "1").mkdir(parents=True)
    (root / name / "config.pbtxt").write_text(
        f'platform: "ensemble"\nmax_batch_size: {batch}\ninput {{ name: "a" data_type: TYPE_{kind} dims: [-1] }}\n'
        f'output {{ name: "b" data_type: TYPE_FP32 dims: [-1] }}\nensemble_scheduling {{ step {{ model_name: "{step}" '
        f'model_version: -1 input_map {{ key: "{x}" value: "a" }} output_map {{ key: "y" value: "b" }} }} }}\n'
    )


def test_ensembles_that_do_not_fit_their_steps_are_named_with_the_reason(
    tmp_path: Path, environment: Environment, model: Callable[..., Path], plus_one: Callable[..., onnx.ModelProto]
) -> None:
    model(tmp_path, "step", plus_one())
    for name, (settings, _) in ENSEMBLES.items():
        add_ensemble(tmp_path, name, **settings)
    with pytest.raises(RepositoryInvalid) as caught, TritonServer(tmp_path, environment=environment):
        pass
    for name, (_, said) in ENSEMBLES.items():
        assert said in said_of(str(caught.value), name)
    assert caught.value.exit_code == 5


def test_ensembles_of_each_other_are_an_error_of_the_repository(tmp_path: Path, environment: Environment) -> None:
    add_ensemble(tmp_path, "hen", step="egg", x="a")
    add_ensemble(tmp_path, "egg", step="hen", x="a")
    with pytest.raises(RepositoryInvalid, match="egg") as caught, TritonServer(tmp_path, environment=environment):
        pass
    assert "tritonserver ended" not in str(caught.value)


def test_a_model_without_a_config_is_named(
    tmp_path: Path, environment: Environment, model: Callable[..., Path], plus_one: Callable[..., onnx.ModelProto]
) -> None:
    model(tmp_path, "good", plus_one())
    (tmp_path / "bare" / "1").mkdir(parents=True)
    with (
        pytest.raises(RepositoryInvalid, match=r"'bare' does not load: .*bare/config\.pbtxt: No such file"),
        TritonServer(tmp_path, environment=environment),
    ):
        pass


@pytest.mark.parametrize("name", ["missing", "empty", "file", "bare"])
def test_what_is_no_repository_is_an_error_at_once(tmp_path: Path, environment: Environment, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("text")
    (tmp_path / "bare" / "model" / "1").mkdir(parents=True)
    with (
        pytest.raises(RepositoryInvalid, match=str(tmp_path / name)),
        TritonServer(tmp_path / name, environment=environment),
    ):
        pass
