"""What an export writes: the contract, the configs and the graphs say the same."""

import hashlib
import json
import re
from collections.abc import Iterator

import numpy as np
import onnx
import onnxruntime
import pytest
from tokenizers import Tokenizer

from callscope_export.contract import CONTRACT, FLOAT

from ..repository_files import config_tensors, graph_tensors, model_config_pb2, parameters, read_config
from .fixture_types import Checkpoints, Repositories

WHISPER = ("log_mel", "whisper_encoder", "whisper_decoder", "whisper_aligner")
WHISPER += ("transcribe", "transcribe_words", "whisper_tokenizer")
CASES = [("multilingual", "int8", WHISPER), ("english_only", "fp32", WHISPER), ("multilingual", "fp16", WHISPER)]
CASES += [
    (name, precision, (name, f"{name}_tokenizer")) for name in ("punctuate", "sentiment") for precision in ("int8",)
]


@pytest.mark.parametrize(("name", "precision", "models"), CASES)
def test_configs_equal_graphs(repository: Repositories, name: str, precision: str, models: tuple[str, ...]) -> None:
    folder = repository(name, precision)
    assert {path.name for path in folder.iterdir() if path.is_dir()} == set(models)
    for model in models:
        config = read_config(folder, model)
        assert config.name == model
        if config.platform == "ensemble":
            continue
        session = onnxruntime.InferenceSession(folder / model / "1" / "model.onnx")
        batched = config.max_batch_size > 0
        assert config_tensors(config.input) == graph_tensors(session.get_inputs(), batched=batched)
        assert config_tensors(config.output) == graph_tensors(session.get_outputs(), batched=batched)


@pytest.mark.parametrize(("name", "precision", "models"), CASES)
def test_configs_equal_the_contract(
    repository: Repositories, name: str, precision: str, models: tuple[str, ...]
) -> None:
    folder = repository(name, precision)
    float_type = "FP16" if precision == "fp16" else "FP32"
    sizes = {}
    for entry in CONTRACT:
        if entry.name not in models:
            continue
        config = read_config(folder, entry.name)
        for promised, found in ((entry.inputs, config.input), (entry.outputs, config.output)):
            assert [tensor.name for tensor in promised] == [tensor.name for tensor in found]
            for tensor, (_, dtype, dims) in zip(promised, config_tensors(found), strict=True):
                assert dtype == (float_type if tensor.dtype == FLOAT else tensor.dtype)
                for dim, number in zip(tensor.dims, dims, strict=True):
                    assert sizes.setdefault(dim, number) == number, "a name is one size in all models"
    assert sizes[1] == 1
    assert set(WHISPER) - set(models) or (sizes["F"], sizes["C"], sizes["S"]) == (100, 50, 16000)


def test_the_readme_is_the_contract(repository: Repositories) -> None:
    rows = {}
    for line in (repository("multilingual", "int8") / "README.md").read_text().splitlines():
        if match := re.match(r"\| `(\w+)` \| (\w+) \| (.*) \| (.*) \|", line):
            rows[match[1]] = match.groups()
    assert list(rows) == [model.name for model in CONTRACT]
    for model in CONTRACT:
        _, kind, inputs, outputs = rows[model.name]
        assert kind == model.kind
        for cell, tensors in ((inputs, model.inputs), (outputs, model.outputs)):
            assert re.findall(r"`(\w+)`", cell) == [tensor.name for tensor in tensors]
            dims = [part.split(",") for part in re.findall(r"\[([^\]]*)\]", cell)]
            assert dims == [[str(dim) for dim in tensor.dims] for tensor in tensors]


@pytest.mark.parametrize(("name", "precision", "models"), CASES)
def test_graphs_keep_to_old_operators(
    repository: Repositories, name: str, precision: str, models: tuple[str, ...]
) -> None:
    for model in models:
        path = repository(name, precision) / model / "1" / "model.onnx"
        if path.exists():
            graph = onnx.load(path)
            versions = {opset.domain: opset.version for opset in graph.opset_import}
            assert versions[""] <= 21
            assert graph.ir_version <= 10
            assert set(versions) <= {"", "com.microsoft"}
            contrib = {node.op_type for node in every_node(graph.graph) if node.domain == "com.microsoft"}
            assert contrib <= {"MatMulIntegerToFloat", "MultiHeadAttention"}


def every_node(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from every_node(attribute.g)


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_weights_are_stored_once(repository: Repositories, checkpoint: Checkpoints, precision: str) -> None:
    """Two phases and a loop use the decoder's weights; the embedding serves look-up and scores."""
    graph = onnx.load(repository("multilingual", precision) / "whisper_decoder" / "1" / "model.onnx").graph
    assert all(not attribute.g.initializer for node in graph.node for attribute in node.attribute)
    contents = [tensor.raw_data for tensor in graph.initializer if len(tensor.raw_data) > 100]
    assert len(contents) > 20
    assert len(contents) == len(set(contents))
    vocabulary = json.loads((checkpoint("multilingual") / "config.json").read_text())["vocab_size"]
    tables = [list(tensor.dims) for tensor in graph.initializer if vocabulary in tensor.dims and len(tensor.dims) > 1]
    assert tables == [[vocabulary, 32]]


@pytest.mark.parametrize("model", [name for name in WHISPER if not name.endswith("tokenizer")])
def test_a_client_learns_the_model_from_its_parameters(
    repository: Repositories, checkpoint: Checkpoints, model: str
) -> None:
    folder, source = repository("multilingual", "int8"), checkpoint("multilingual")
    found = parameters(read_config(folder, model))
    generation = json.loads((source / "generation_config.json").read_text())
    assert found["contract"] == "1"
    assert (found["sample_rate_hz"], found["window_samples"], found["hop_samples"]) == ("16000", "16000", "160")
    assert (found["mel_bins"], found["max_tokens"], found["tokenizer"]) == ("80", "20", "whisper_tokenizer")
    assert {f"<|{code}|>": token for code, token in json.loads(found["languages"]).items()} == generation["lang_to_id"]
    assert json.loads(found["tasks"]) == generation["task_to_id"]
    assert found["end_of_text"] == str(generation["eos_token_id"])
    assert found["precision"] == ("fp32" if model == "log_mel" else "int8")
    assert found["source"] == source.name
    digest = hashlib.sha256((source / "model.safetensors").read_bytes()).hexdigest()
    assert found["revision"] == f"sha256:{digest[:12]}"
    if model.startswith("transcribe"):
        assert "graph_sha256" not in found
    else:
        graph = (folder / model / "1" / "model.onnx").read_bytes()
        assert found["graph_sha256"] == hashlib.sha256(graph).hexdigest()


def test_english_only_parameters_name_no_language(repository: Repositories) -> None:
    found = parameters(read_config(repository("english_only", "fp32"), "whisper_decoder"))
    assert (found["languages"], found["tasks"]) == ("{}", "{}")
    assert (found["mel_bins"], found["max_tokens"]) == ("128", "22")


def test_classifiers_describe_themselves(repository: Repositories) -> None:
    punctuate = parameters(read_config(repository("punctuate", "int8"), "punctuate"))
    assert json.loads(punctuate["labels"]) == ["O", "COMMA", "PERIOD", "QUESTION"]
    sentiment = parameters(read_config(repository("sentiment", "int8"), "sentiment"))
    assert json.loads(sentiment["labels"]) == ["positive", "negative", "neutral"]
    assert (sentiment["max_length"], sentiment["tokenizer"], sentiment["precision"]) == (
        "64",
        "sentiment_tokenizer",
        "int8",
    )


@pytest.mark.parametrize(
    ("name", "model"),
    [("multilingual", "whisper_tokenizer"), ("punctuate", "punctuate_tokenizer"), ("sentiment", "sentiment_tokenizer")],
)
def test_slices_of_the_tokenizer_make_up_its_file(
    repository: Repositories, checkpoint: Checkpoints, name: str, model: str
) -> None:
    folder = repository(name, "int8")
    config = read_config(folder, model)
    size = int(parameters(config)["size_bytes"])
    session = onnxruntime.InferenceSession(folder / model / "1" / "model.onnx")
    parts = []
    for offset in range(0, size, 1000):
        (part,) = session.run(None, {"offset": np.array([offset]), "length": np.array([1000])})
        assert part.size == min(1000, size - offset)
        parts.append(part.tobytes())
    content = b"".join(parts)
    assert content == (checkpoint(name) / "tokenizer.json").read_bytes()
    assert Tokenizer.from_buffer(content).encode("thank you").ids
    assert config.max_batch_size == 0
    assert config.instance_group[0].kind == model_config_pb2.ModelInstanceGroup.KIND_CPU


@pytest.mark.parametrize("ensemble_name", ["transcribe", "transcribe_words"])
@pytest.mark.parametrize("precision", ["int8", "fp16"])
def test_an_ensemble_connects_its_graphs(repository: Repositories, precision: str, ensemble_name: str) -> None:
    """Every tensor a step takes comes from the request or an earlier step, and fits."""
    folder = repository("multilingual", precision)
    ensemble = read_config(folder, ensemble_name)
    assert ensemble.platform == "ensemble"
    assert (folder / ensemble_name / "1").is_dir()
    assert ensemble.max_batch_size > 1
    known = {name: (dtype, dims) for name, dtype, dims in config_tensors(ensemble.input)}
    for step in ensemble.ensemble_scheduling.step:
        model = read_config(folder, step.model_name)
        assert model.max_batch_size >= ensemble.max_batch_size
        for name, dtype, dims in config_tensors(model.input):
            assert known[step.input_map[name]] == (dtype, dims)
        for name, dtype, dims in config_tensors(model.output):
            assert step.output_map[name] not in known, "an ensemble's tensor has one source"
            known[step.output_map[name]] = dtype, dims
    assert all(known[name] == (dtype, dims) for name, dtype, dims in config_tensors(ensemble.output))
