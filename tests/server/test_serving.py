"""Graphs served by a real tritonserver through the backend."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import psutil
import pytest
import tritonclient.grpc.aio as grpc_aio
from numpy.typing import NDArray
from onnx import TensorProto, helper
from tritonclient import grpc, http
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from callscope_server import Endpoints, Environment, TritonServer

Array = NDArray[Any]
NO_DELAY = "dynamic_batching { }\n"
DELAY = "dynamic_batching { max_queue_delay_microseconds: 300000 }\n"
SCALAR_ROW = 'name: "{}" data_type: TYPE_FP32 dims: [1]'


@pytest.fixture(scope="module")
def repository(
    tmp_path_factory: pytest.TempPathFactory,
    model: Callable[..., Path],
    plus_one: Callable[..., onnx.ModelProto],
    graph: Any,
) -> Path:
    root = tmp_path_factory.mktemp("repository")
    model(root, "plus_one", plus_one(), NO_DELAY)
    model(root, "batching", plus_one(), DELAY)
    model(root, "two_instances", plus_one(), "instance_group { count: 2 kind: KIND_CPU }\n")
    model(
        root, "three_threads", plus_one(), 'parameters { key: "intra_op_thread_count" value { string_value: "3" } }\n'
    )
    model(
        root,
        "unbatched",
        plus_one(["a", "b"]),
        max_batch_size=0,
        x='name: "x" data_type: TYPE_FP32 dims: [-1, 2]',
        y='name: "y" data_type: TYPE_FP32 dims: [-1, 2]',
    )
    model(root, "other_file", plus_one(), 'default_model_filename: "other.onnx"\n', file="other.onnx")
    model(root, "cached", plus_one(), NO_DELAY + "response_cache { enable: true }\n")
    model(root, "described", plus_one(), 'parameters { key: "languages" value { string_value: "{}" } }\n')
    model(root, "ragged", plus_one(), DELAY)
    for name, onnx_type in (("FP16", TensorProto.FLOAT16), ("INT64", TensorProto.INT64), ("UINT8", TensorProto.UINT8)):
        tensors = {t: f'name: "{t}" data_type: TYPE_{name} dims: [-1]' for t in "xy"}
        model(root, f"typed_{name}", plus_one(data_type=onnx_type), **tensors)
    _add_lookup(root, model, graph)
    _add_two_outputs(root, model, graph)
    _add_rows_seen(root, model, graph)
    wide = {t: f'name: "{t}" data_type: TYPE_FP32 dims: [512]' for t in "xy"}
    _add_external(model(root, "external", None, **wide) / "1", graph)
    _add_optional(root, model, graph)
    _add_ensemble(root)
    return root


def _add_lookup(root: Path, model: Any, graph: Any) -> None:
    """A table of two rows: any other index fails when the graph runs."""
    proto = graph(
        [
            helper.make_node("Squeeze", ["i", "axis"], ["flat"]),
            helper.make_node("Gather", ["table", "flat"], ["y"], axis=0),
        ],
        {"i": (TensorProto.INT64, ["n", 1])},
        {"y": (TensorProto.FLOAT, ["n", 1])},
        {"table": np.array([[10.0], [20.0]], np.float32), "axis": np.array([1], np.int64)},
    )
    model(root, "lookup", proto, DELAY, x='name: "i" data_type: TYPE_INT64 dims: [1]', y=SCALAR_ROW.format("y"))


def _add_rows_seen(root: Path, model: Any, graph: Any) -> None:
    """Answers each row with the number of rows that ran together."""
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"], start=0, end=1),
        helper.make_node("Cast", ["shape"], ["rows"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["x", "x"], ["zero"]),
        helper.make_node("Add", ["zero", "rows"], ["y"]),
    ]
    tensor = (TensorProto.FLOAT, ["n", 1])
    row = {t: SCALAR_ROW.format(t) for t in "xy"}
    model(root, "rows_seen", graph(nodes, {"x": tensor}, {"y": tensor}), DELAY, **row)


def _add_two_outputs(root: Path, model: Any, graph: Any) -> None:
    tensor = (TensorProto.FLOAT, ["n", "m"])
    nodes = [helper.make_node("Neg", ["x"], ["negative"]), helper.make_node("Abs", ["x"], ["absolute"])]
    outputs = ' } output { name: "negative" data_type: TYPE_FP32 dims: [-1]'
    y = 'name: "absolute" data_type: TYPE_FP32 dims: [-1]' + outputs
    model(root, "two_outputs", graph(nodes, {"x": tensor}, {"negative": tensor, "absolute": tensor}), DELAY, y=y)


def _add_external(folder: Path, graph: Any) -> None:
    tensor = (TensorProto.FLOAT, ["n", 512])
    proto = graph(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        {"x": tensor},
        {"y": tensor},
        {"w": np.arange(512, dtype=np.float32)},
    )
    onnx.save(proto, folder / "model.onnx", save_as_external_data=True, location="weights.data", size_threshold=0)
    assert (folder / "weights.data").stat().st_size == 2048


def _add_optional(root: Path, model: Any, graph: Any) -> None:
    tensor = (TensorProto.FLOAT, ["n", "m"])
    inputs = {"x": tensor, "bias": (TensorProto.FLOAT, [1, 1])}
    proto = graph(
        [helper.make_node("Add", ["x", "bias"], ["y"])], inputs, {"y": tensor}, {"bias": np.array([[5.0]], np.float32)}
    )
    x = 'name: "x" data_type: TYPE_FP32 dims: [-1, -1]'
    bias = 'name: "bias" data_type: TYPE_FP32 dims: [1, 1] optional: true'
    y = 'name: "y" data_type: TYPE_FP32 dims: [-1, -1]'
    model(root, "optional", proto, max_batch_size=0, x=f"{x} }} input {{ {bias}", y=y)


def _add_ensemble(root: Path) -> None:
    (root / "plus_two" / "1").mkdir(parents=True)
    (root / "plus_two" / "config.pbtxt").write_text(
        """platform: "ensemble"
max_batch_size: 8
input { name: "a" data_type: TYPE_FP32 dims: [-1] }
output { name: "c" data_type: TYPE_FP32 dims: [-1] }
ensemble_scheduling {
  step { model_name: "plus_one" model_version: -1 input_map { key: "x" value: "a" } output_map { key: "y" value: "b" } }
  step { model_name: "plus_one" model_version: -1 input_map { key: "x" value: "b" } output_map { key: "y" value: "c" } }
}
"""
    )


@pytest.fixture(scope="module")
def server(repository: Path, environment: Environment) -> Iterator[TritonServer]:
    with TritonServer(repository, environment=environment) as running:
        yield running


@pytest.fixture(scope="module")
def endpoints(server: TritonServer) -> Endpoints:
    return server.endpoints


@pytest.fixture(scope="module")
def client(endpoints: Endpoints) -> Iterator[grpc.InferenceServerClient]:
    with grpc.InferenceServerClient(endpoints.grpc) as connected:
        yield connected


def as_input(name: str, array: Array, protocol: Any = grpc) -> Any:
    tensor = protocol.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    tensor.set_data_from_numpy(array)
    return tensor


def infer(client: Any, name: str, array: Array, *, tensor: str = "x", output: str = "y", protocol: Any = grpc) -> Array:
    return client.infer(name, [as_input(tensor, array, protocol)]).as_numpy(output)


def infer_together(endpoints: Endpoints, name: str, arrays: list[Array], tensor: str = "x") -> list[Any]:
    async def all_at_once() -> list[Any]:
        async with grpc_aio.InferenceServerClient(endpoints.grpc) as connected:
            requests = [connected.infer(name, [as_input(tensor, array)]) for array in arrays]
            return await asyncio.gather(*requests, return_exceptions=True)

    return asyncio.run(all_at_once())


def counts(client: grpc.InferenceServerClient, name: str) -> tuple[int, int]:
    """(inferences, executions) so far."""
    stats = client.get_inference_statistics(name).model_stats[0]
    return stats.inference_count, stats.execution_count


def row(*numbers: float) -> Array:
    return np.array([numbers], np.float32)


def test_every_model_is_listed_as_ready(server: TritonServer, repository: Path) -> None:
    models = server.models()
    assert [each.name for each in models] == sorted(path.name for path in repository.iterdir())
    assert {(each.version, each.state, each.reason) for each in models} == {("1", "READY", "")}


def test_a_batch_of_one_request_is_answered(client: grpc.InferenceServerClient) -> None:
    x = np.arange(12, dtype=np.float32).reshape(4, 3)
    np.testing.assert_array_equal(infer(client, "plus_one", x), x + 1)


def test_grpc_and_http_answer_alike(client: grpc.InferenceServerClient, endpoints: Endpoints) -> None:
    x = np.random.default_rng(1).normal(size=(3, 7)).astype(np.float32)
    with http.InferenceServerClient(endpoints.http) as other:
        over_http = infer(other, "plus_one", x, protocol=http)
    np.testing.assert_array_equal(over_http, infer(client, "plus_one", x))


def test_requests_at_the_same_time_are_concatenated_and_each_gets_its_own_rows(
    client: grpc.InferenceServerClient, endpoints: Endpoints
) -> None:
    before = counts(client, "batching")
    arrays = [np.full((1 + index % 2, 3), index, np.float32) for index in range(8)]
    results = infer_together(endpoints, "batching", arrays)
    for array, result in zip(arrays, results, strict=True):
        np.testing.assert_array_equal(result.as_numpy("y"), array + 1)
    after = counts(client, "batching")
    assert after[0] - before[0] == 12
    assert after[1] - before[1] <= 4


def test_requests_at_the_same_time_run_through_the_graph_together(endpoints: Endpoints) -> None:
    seen = [result.as_numpy("y").item() for result in infer_together(endpoints, "rows_seen", [row(1)] * 6)]
    assert max(seen) >= 3


def test_requests_of_different_shapes_at_the_same_time_are_all_answered(endpoints: Endpoints) -> None:
    arrays = [np.full((1, width), width, np.float32) for width in (2, 5, 2, 7)]
    for array, result in zip(arrays, infer_together(endpoints, "ragged", arrays), strict=True):
        np.testing.assert_array_equal(result.as_numpy("y"), array + 1)


def test_a_request_that_fails_does_not_take_its_batch_with_it(
    client: grpc.InferenceServerClient, endpoints: Endpoints
) -> None:
    before = counts(client, "lookup")
    good, bad, other = infer_together(endpoints, "lookup", [np.array([[i]]) for i in (0, 99, 1)], "i")
    assert isinstance(bad, InferenceServerException)
    assert "99" in str(bad)
    assert (good.as_numpy("y").item(), other.as_numpy("y").item()) == (10, 20)
    assert infer(client, "lookup", np.array([[1]]), tensor="i").item() == 20
    assert counts(client, "lookup")[1] - before[1] <= 3


def test_only_the_outputs_asked_for_are_sent(client: grpc.InferenceServerClient) -> None:
    asked = [grpc.InferRequestedOutput("negative")]
    result = client.infer("two_outputs", [as_input("x", row(-2, 3))], outputs=asked)
    np.testing.assert_array_equal(result.as_numpy("negative"), row(2, -3))
    assert result.as_numpy("absolute") is None


def test_requests_of_one_batch_may_ask_for_different_outputs(endpoints: Endpoints) -> None:
    def ask(output: str) -> Any:
        with grpc.InferenceServerClient(endpoints.grpc) as each:
            return each.infer("two_outputs", [as_input("x", row(-2, 3))], outputs=[grpc.InferRequestedOutput(output)])

    with ThreadPoolExecutor(2) as pool:
        negative, absolute = pool.map(ask, ("negative", "absolute"))
    np.testing.assert_array_equal(negative.as_numpy("negative"), row(2, -3))
    np.testing.assert_array_equal(absolute.as_numpy("absolute"), row(2, 3))


def test_a_graph_without_a_batch_dimension_is_served(client: grpc.InferenceServerClient) -> None:
    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    np.testing.assert_array_equal(infer(client, "unbatched", x), x + 1)


def test_an_ensemble_runs_its_steps(client: grpc.InferenceServerClient) -> None:
    np.testing.assert_array_equal(infer(client, "plus_two", row(1, 2), tensor="a", output="c"), row(3, 4))


@pytest.mark.parametrize("data_type", [np.float16, np.int64, np.uint8])
def test_number_types_pass_through_unchanged(client: grpc.InferenceServerClient, data_type: type[np.generic]) -> None:
    x = np.array([[1, 2, 100]], data_type)
    result = infer(client, f"typed_{np_to_triton_dtype(data_type)}", x)
    assert result.dtype == data_type
    np.testing.assert_array_equal(result, x + np.ones((), data_type))


def test_tensors_larger_than_the_first_shared_memory_block_come_back_whole(client: grpc.InferenceServerClient) -> None:
    x = np.random.default_rng(2).normal(size=(8, 500_000)).astype(np.float32)
    np.testing.assert_array_equal(infer(client, "plus_one", x), x + 1)


def test_weights_beside_the_graph_are_found(client: grpc.InferenceServerClient) -> None:
    x = np.zeros((2, 512), np.float32)
    np.testing.assert_array_equal(infer(client, "external", x)[1], np.arange(512))


def test_the_graph_may_have_another_file_name(client: grpc.InferenceServerClient) -> None:
    np.testing.assert_array_equal(infer(client, "other_file", row(4)), row(5))


def test_an_input_with_a_value_in_the_graph_may_be_left_out(client: grpc.InferenceServerClient) -> None:
    np.testing.assert_array_equal(infer(client, "optional", row(1, 2)), row(6, 7))
    given = client.infer("optional", [as_input("x", row(1, 2)), as_input("bias", row(10))])
    np.testing.assert_array_equal(given.as_numpy("y"), row(11, 12))


def test_the_response_cache_answers_the_second_time(client: grpc.InferenceServerClient) -> None:
    results = [infer(client, "cached", row(7, 8)) for _ in range(3)]
    np.testing.assert_array_equal(np.concatenate(results), np.tile(row(8, 9), (3, 1)))
    assert client.get_inference_statistics("cached").model_stats[0].inference_stats.cache_hit.count == 2


def test_each_instance_is_a_process_with_the_threads_it_was_given(server: TritonServer) -> None:
    stubs = [each for each in psutil.Process(server.pid).children() if each.name().startswith("triton_python")]
    threads = {
        name: [s.num_threads() for s in stubs if f"/{name}/1/" in " ".join(s.cmdline())]
        for name in ("two_instances", "three_threads")
    }
    assert len(threads["two_instances"]) == 2
    assert threads["three_threads"] == [threads["two_instances"][0] + 2]


def test_a_models_own_description_is_readable_through_the_server(client: grpc.InferenceServerClient) -> None:
    parameters = client.get_model_config("described").config.parameters
    assert parameters["languages"].string_value == "{}"


def test_metrics_are_served(endpoints: Endpoints, client: grpc.InferenceServerClient) -> None:
    infer(client, "plus_one", row(1))
    with urllib.request.urlopen(f"http://{endpoints.metrics}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    assert 'nv_inference_count{model="plus_one",version="1"}' in text


def test_the_server_listens_on_loopback_only(server: TritonServer) -> None:
    listening = [
        each.laddr.ip for each in psutil.Process(server.pid).net_connections() if each.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 3
    assert {address.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}
