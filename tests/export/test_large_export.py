"""Exports beyond one file: weights in a file of their own, from shards, one graph in memory at a time."""

from __future__ import annotations

import gc
import shutil
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime
import pytest

from callscope_export import export_whisper, whisper_models
from callscope_export.graph import Graph
from callscope_export.graph_files import PAGE_BYTES

from ..serving.asking import options
from .checkpoint_variants import as_float16, shard
from .fixture_types import Checkpoints

if TYPE_CHECKING:
    from callscope_server.environment import Environment

GRAPHS = ("log_mel", "whisper_encoder", "whisper_decoder", "whisper_aligner")
BuildGraph = Callable[..., Graph]


@pytest.fixture
def sharded(checkpoint: Checkpoints, tmp_path: Path) -> Path:
    """The multilingual checkpoint in half precision and three files."""
    folder = tmp_path / "sharded"
    shutil.copytree(checkpoint("multilingual"), folder)
    as_float16(folder)
    shard(folder)
    return folder


@pytest.fixture
def low_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Graphs of more than 10 kB keep their weights in a file of their own."""
    monkeypatch.setattr("callscope_export.graph_files.LARGEST_FILE_BYTES", 10_000)


def outputs(repository: Path, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    session = onnxruntime.InferenceSession(repository / name / "1" / "model.onnx")
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, inputs), strict=True))


def transcribed(repository: Path, audio: Any) -> dict[str, Any]:
    """What a chain of the graphs gives without a server."""
    mel = outputs(repository, "log_mel", {"audio": audio})
    states = outputs(repository, "whisper_encoder", mel)
    return outputs(repository, "whisper_decoder", {**states, **options(20)})


@pytest.mark.parametrize("precision", ["int8", "fp16", "fp32"])
def test_weights_in_a_file_of_their_own_are_the_same_weights(
    sharded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    export_whisper(sharded, tmp_path / "one", precision=precision, parity="off")
    monkeypatch.setattr("callscope_export.graph_files.LARGEST_FILE_BYTES", 10_000)
    export_whisper(sharded, tmp_path / "two", precision=precision, parity="off")
    for name in GRAPHS:
        one, two = (onnx.load(tmp_path / side / name / "1" / "model.onnx") for side in ("one", "two"))
        for tensor in two.graph.initializer:
            tensor.ClearField("data_location")  # which says now that they are inside
        assert one == two, name
        apart = onnx.load(tmp_path / "two" / name / "1" / "model.onnx", load_external_data=False)
        places = [
            {entry.key: entry.value for entry in tensor.external_data}
            for tensor in apart.graph.initializer
            if tensor.external_data
        ]
        assert places
        assert all(int(place["offset"]) % PAGE_BYTES == 0 for place in places)
        size = (tmp_path / "two" / name / "1" / "model.onnx.data").stat().st_size
        assert size == max(int(place["offset"]) + int(place["length"]) for place in places)


@pytest.mark.usefixtures("low_limit")
@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_triton_serves_weights_in_a_file_of_their_own(
    sharded: Path, tmp_path: Path, server_environment: Environment, precision: str
) -> None:
    from tritonclient import grpc  # noqa: PLC0415  most tests here need no server

    from callscope_server.launcher import TritonServer  # noqa: PLC0415  as above

    repository = tmp_path / "repository"
    export_whisper(sharded, repository, precision=precision, parity="off")
    assert all((repository / name / "1" / "model.onnx.data").is_file() for name in GRAPHS)
    audio = np.random.default_rng(2).normal(0, 3000, (1, 16_000)).astype(np.int16)
    tensors = {"audio": audio, **options(20)}
    inputs = []
    for name, array in tensors.items():
        kind = {"i": f"INT{8 * array.itemsize}", "f": "FP32"}[array.dtype.kind]
        inputs.append(grpc.InferInput(name, list(array.shape), kind))
        inputs[-1].set_data_from_numpy(array)
    with TritonServer(repository, environment=server_environment) as server:
        client = grpc.InferenceServerClient(server.endpoints.grpc)
        served = client.infer("transcribe", inputs)
        client.close()
    expected = transcribed(repository, audio)
    np.testing.assert_array_equal(served.as_numpy("tokens"), expected["tokens"])
    np.testing.assert_allclose(served.as_numpy("logprobs"), expected["logprobs"], atol=1e-4)


@pytest.fixture
def no_collection() -> Iterator[None]:
    """What is free is free at once, or it is not found out."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("limit_bytes", [10_000, 10_000_000])
def test_no_two_graphs_are_in_memory(
    checkpoint: Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit_bytes: int
) -> None:
    monkeypatch.setattr("callscope_export.graph_files.LARGEST_FILE_BYTES", limit_bytes)
    alive: list[weakref.ref[Any]] = []
    built = []

    def watched(build: BuildGraph) -> BuildGraph:
        def build_watched(*arguments: Any) -> Graph:
            assert not [array for array in alive if array() is not None], "the graph before is still there"
            graph = build(*arguments)
            alive.extend(weakref.ref(array) for array in graph.weights.values())
            built.append(graph.bare.graph.name)
            return graph

        return build_watched

    for name in ("log_mel_graph", "encoder_graph", "decoder_graph", "aligner_graph"):
        monkeypatch.setattr(whisper_models, name, watched(getattr(whisper_models, name)))
    export_whisper(checkpoint("multilingual"), tmp_path, precision="fp32", parity="off")
    assert built == list(GRAPHS)
    assert len(alive) > 100


@pytest.mark.usefixtures("low_limit")
def test_a_long_export_tells_where_it_is(sharded: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    export_whisper(sharded, tmp_path / "repository", precision="fp32", parity="off", progress=lines.append)
    for name in ("whisper_encoder", "whisper_decoder", "whisper_aligner"):
        for layer in (1, 2):
            assert lines.count(f"Building {name} (fp32): layer {layer} of 2") == 1
        assert f"Writing {name}: 0.0 of 0.0 GB" in lines
