"""Classifiers of many architectures, exported by way of optimum, against transformers, and in a real Triton."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from callscope_export import export_all, export_classifier
from callscope_export.checkpoint import open_checkpoint
from callscope_export.classifier import read_classifier
from callscope_export.classifier_parity import check_classifier
from callscope_export.errors import CheckpointInvalid, CheckpointUnsupported, ParityFailed
from callscope_export.graph import Graph

from ..repository_files import config_tensors, graph_tensors, parameters, read_config
from .any_classifier import CLASSIFIERS, AnyClassifier, write_classifier
from .random_checkpoint import TEXTS

if TYPE_CHECKING:
    from callscope_server.environment import Environment

REASON = "exports by way of optimum, which the extra `optimum` installs"
torch = pytest.importorskip("torch", reason=REASON)
transformers = pytest.importorskip("transformers", reason=REASON)
pytest.importorskip("optimum.exporters.onnx", reason=REASON)

pytestmark = pytest.mark.filterwarnings("ignore")

Array = NDArray[Any]
Written = Callable[[str], Path]
Exported = Callable[..., Path]
PRECISIONS = {"fp32": 1e-5, "fp16": 2e-2, "int8": 6e-2}
"""How far logits may be from those of transformers, relative; all of these models are small and random."""
LENGTHS = (40, 17, 1, 5)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Find a checkpoint by its name in CLASSIFIERS."""
    root = tmp_path_factory.mktemp("classifiers")

    def find(name: str) -> Path:
        return root / name if (root / name).is_dir() else write_classifier(root / name, CLASSIFIERS[name])

    return find


@pytest.fixture(scope="module")
def exported(written: Written, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Find what was exported of a checkpoint in a precision."""
    root = tmp_path_factory.mktemp("exported")

    def find(name: str, precision: str) -> Path:
        folder = root / f"{name}-{precision}"
        if not folder.is_dir():
            export_classifier(written(name), folder, name=served_as(name), precision=precision, parity="off")
        return folder

    return find


def served_as(name: str) -> Any:
    return "punctuate" if CLASSIFIERS[name].per_token else "sentiment"


def graph_file(repository: Path, name: str) -> Path:
    return repository / served_as(name) / "1" / "model.onnx"


def batch(filler: int = 0) -> dict[str, Array]:
    """Texts of LENGTHS, filled up with any token."""
    rng = np.random.default_rng(2)
    mask = (np.arange(max(LENGTHS)) < np.array(LENGTHS)[:, None]).astype(np.int64)
    ids = rng.integers(4, 60, mask.shape)
    return {"input_ids": np.where(mask, ids, filler), "attention_mask": mask}


def run(file: Path, inputs: dict[str, Array]) -> Array:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits"], inputs)
    assert logits.dtype == np.float32
    assert np.isfinite(logits).all()
    return np.asarray(logits)


def expected(folder: Path, classifier: AnyClassifier) -> Array:
    kind = "Token" if classifier.per_token else "Sequence"
    model = getattr(transformers, f"AutoModelFor{kind}Classification").from_pretrained(folder).eval()
    inputs = batch(model.config.pad_token_id)
    with torch.no_grad():
        return np.asarray(model(**{key: torch.from_numpy(array) for key, array in inputs.items()}).logits)


def texts_of(logits: Array, classifier: AnyClassifier) -> Iterator[Array]:
    """The rows without what was filled up."""
    for row, length in zip(logits, LENGTHS, strict=True):
        yield row[:length] if classifier.per_token else row


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_logits_equal_transformers(written: Written, exported: Exported, name: str, precision: str) -> None:
    classifier = CLASSIFIERS[name]
    wanted = np.concatenate([row.ravel() for row in texts_of(expected(written(name), classifier), classifier)])
    logits = run(graph_file(exported(name, precision), name), batch())
    found = np.concatenate([row.ravel() for row in texts_of(logits, classifier)])
    assert np.abs(wanted).max() > 0.5, "labels differ"
    assert np.sqrt(((found - wanted) ** 2).mean() / (wanted**2).mean()) < PRECISIONS[precision]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_text_depends_on_neither_its_neighbours_nor_its_padding(
    exported: Exported, name: str, precision: str
) -> None:
    file, inputs = graph_file(exported(name, precision), name), batch()
    together = run(file, inputs)
    np.testing.assert_array_equal(
        np.concatenate([row.ravel() for row in texts_of(run(file, batch(filler=37)), CLASSIFIERS[name])]),
        np.concatenate([row.ravel() for row in texts_of(together, CLASSIFIERS[name])]),
    )
    for row, among in enumerate(texts_of(together, CLASSIFIERS[name])):
        one = {key: array[row : row + 1, : LENGTHS[row]] for key, array in inputs.items()}
        np.testing.assert_allclose(run(file, one)[0], among, atol=2e-2 if precision == "fp16" else 2e-5)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_configs_describe_the_graphs(exported: Exported, name: str, precision: str) -> None:
    repository, model = exported(name, precision), served_as(name)
    config, told = read_config(repository, model), parameters(read_config(repository, model))
    session = onnxruntime.InferenceSession(graph_file(repository, name))
    assert config_tensors(config.input) == graph_tensors(session.get_inputs(), batched=True)
    assert config_tensors(config.output) == graph_tensors(session.get_outputs(), batched=True)
    assert json.loads(told["labels"]) == list(CLASSIFIERS[name].labels)
    assert (told["max_length"], told["precision"], told["source"]) == ("64", precision, name)
    longest = np.ones((1, int(told["max_length"])), np.int64)
    run(graph_file(repository, name), {"input_ids": 9 * longest, "attention_mask": longest})


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_graphs_keep_to_old_operators_and_store_matrices_as_asked(
    exported: Exported, written: Written, name: str, precision: str
) -> None:
    graph = onnx.load(graph_file(exported(name, precision), name))
    versions = {opset.domain: opset.version for opset in graph.opset_import}
    assert versions[""] <= 21
    assert graph.ir_version <= 10
    contrib = {node.op_type for node in graph.graph.node if node.domain == "com.microsoft"}
    assert contrib == ({"MatMulIntegerToFloat"} if precision == "int8" else set())
    assert sum(node.op_type == "LayerNormalization" for node in graph.graph.node) >= 5
    vocabulary = json.loads((written(name) / "config.json").read_text())["vocab_size"]
    tables = [tensor for tensor in graph.graph.initializer if tensor.dims[:1] == [vocabulary]]
    matrices = [one for one in graph.graph.initializer if np.prod(one.dims) >= 48 * 48 and one.dims[0] not in {64, 66}]
    wanted = {"fp32": onnx.TensorProto.FLOAT, "fp16": onnx.TensorProto.FLOAT16, "int8": onnx.TensorProto.INT8}
    assert {tensor.data_type for tensor in matrices} == {wanted[precision]}
    assert wanted[precision] in {tensor.data_type for tensor in tables}
    assert all(
        len(tensor.dims) < 2 or tensor.dims[-1] < 4 for tensor in tables if tensor.data_type != wanted[precision]
    )


@pytest.mark.parametrize("precision", PRECISIONS)
def test_what_says_the_same_is_published_with_its_report(written: Written, tmp_path: Path, precision: str) -> None:
    for name in ("xlm-roberta", "electra"):
        options = {"name": served_as(name), "precision": precision, "parity": "require"}
        assert export_classifier(written(name), tmp_path, **options).compared
        report = json.loads((tmp_path / served_as(name) / "1" / "report.json").read_text())
        assert report["failures"] == []
        assert report["texts"] == 8
        for figure, found in report["found"].items():
            assert found <= report["limits"][figure]


def test_plain_bert_is_compared_too_and_a_damaged_graph_refused(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import callscope_export.export as flow  # noqa: PLC0415  to be damaged

    bert = write_classifier(tmp_path / "bert", AnyClassifier("Bert", {"hidden_size": 48, "num_attention_heads": 4}))
    repository = tmp_path / "repository"
    assert export_classifier(bert, repository, name="sentiment", precision="fp32").compared
    before = {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()}
    sound = flow.classifier_graph

    def damaged(*arguments: Any) -> Graph:
        graph = sound(*arguments)
        name = next(name for name, array in graph.weights.items() if array.ndim == 2 and min(array.shape) > 40)
        return Graph(graph.bare, {**graph.weights, name: np.roll(graph.weights[name], 1, axis=0)})

    monkeypatch.setattr(flow, "classifier_graph", damaged)
    for source in (bert, written("distilbert")):
        with pytest.raises(ParityFailed, match="logits differ"):
            export_classifier(source, repository, name="sentiment", precision="fp32")
    assert {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()} == before


def test_a_graph_that_heeds_the_neighbours_of_a_text_is_refused(written: Written, exported: Exported) -> None:
    file, folder = graph_file(exported("distilbert", "int8"), "distilbert"), written("distilbert")
    settings = read_classifier(open_checkpoint(folder), per_token=False)
    options = {"tokenizer": (folder / "tokenizer.json").read_bytes(), "precision": "int8"}

    def swayed(_name: str, inputs: Any) -> dict[str, Array]:
        logits = run(file, inputs)
        logits[:, 0] += 0.1 * (len(logits) > 1)
        return {"logits": logits}

    with pytest.raises(ParityFailed, match="alone and among others"):
        check_classifier(folder, "sentiment", settings, run=swayed, **options)


def test_a_recipe_takes_any_architecture(written: Written, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    tables = [f'[{served_as(name)}]\nsource = "{written(name)}"\n' for name in ("deberta-v2", "roberta")]
    recipe.write_text("\n".join([*tables, 'parity = "off"\nprecision = "fp16"\n']))
    assert [(report.precision, report.compared) for report in export_all(recipe)] == [("int8", True), ("fp16", False)]


def test_an_architecture_that_optimum_does_not_know_is_refused(tmp_path: Path) -> None:
    funnel = AnyClassifier("Funnel", {"block_sizes": [1, 1], "d_model": 32, "n_head": 2, "d_head": 16, "d_inner": 32})
    with pytest.raises(CheckpointUnsupported, match=r"optimum cannot export checkpoint, .*funnel"):
        export_classifier(write_classifier(tmp_path / "checkpoint", funnel), tmp_path / "models", name="sentiment")
    assert not (tmp_path / "models").exists()


def test_a_checkpoint_without_its_last_layer_is_refused(written: Written, tmp_path: Path) -> None:
    folder = shutil.copytree(written("roberta"), tmp_path / "headless")
    weights = {name: array for name, array in load_file(folder / "model.safetensors").items() if "out_proj" not in name}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointInvalid, match=r"no tensor classifier\.out_proj"):
        export_classifier(folder, tmp_path / "models", name="sentiment")


def test_a_vocabulary_of_words_becomes_a_tokenizer(written: Written, tmp_path: Path) -> None:
    folder = shutil.copytree(written("distilbert"), tmp_path / "words")
    (folder / "tokenizer.json").unlink()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "thank", "you", "##r", "line"]
    (folder / "vocab.txt").write_text("\n".join(words))
    export_classifier(folder, tmp_path / "models", name="sentiment")
    tokenizer = served_tokenizer(tmp_path / "models", "sentiment")
    assert tokenizer.encode("Thank your line").tokens == ["[CLS]", "thank", "you", "##r", "line", "[SEP]"]


def test_a_sentencepiece_model_becomes_a_tokenizer(written: Written, tmp_path: Path) -> None:
    import sentencepiece  # noqa: PLC0415  the extra `optimum`

    folder, model = shutil.copytree(written("xlm-roberta"), tmp_path / "pieces"), io.BytesIO()
    (folder / "tokenizer.json").unlink()
    options = {"vocab_size": 50, "minloglevel": 2, "hard_vocab_limit": False}
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(TEXTS), model_writer=model, **options)
    (folder / "sentencepiece.bpe.model").write_bytes(model.getvalue())
    export_classifier(folder, tmp_path / "models", name="punctuate")
    encoded = served_tokenizer(tmp_path / "models", "punctuate").encode("네 맞습니다")
    original = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue()).encode("네 맞습니다", out_type=str)
    assert encoded.tokens == ["<s>", *original, "</s>"]


def served_tokenizer(repository: Path, name: str) -> Tokenizer:
    session = onnxruntime.InferenceSession(repository / f"{name}_tokenizer" / "1" / "model.onnx")
    (content,) = session.run(None, {"offset": np.array([0]), "length": np.array([1 << 30])})
    return Tokenizer.from_buffer(content.tobytes())


def test_triton_serves_them(
    written: Written, exported: Exported, server_environment: Environment, tmp_path: Path
) -> None:
    from tritonclient.grpc import InferenceServerClient, InferInput  # noqa: PLC0415  its import warns

    from callscope_server.launcher import TritonServer  # noqa: PLC0415  most tests need no server

    for name, precision in (("xlm-roberta", "int8"), ("deberta-v2", "fp16"), ("distilbert", "int8")):
        repository = tmp_path / precision
        export_classifier(written(name), repository, name=served_as(name), precision=precision, parity="off")
    for repository, names in ((tmp_path / "int8", ("xlm-roberta", "distilbert")), (tmp_path / "fp16", ("deberta-v2",))):
        with TritonServer(repository, environment=server_environment, log_file=tmp_path / "log") as server:
            client = InferenceServerClient(server.endpoints.grpc)
            for name in names:
                tensors = [(key, InferInput(key, array.shape, "INT64")) for key, array in batch().items()]
                for key, tensor in tensors:
                    tensor.set_data_from_numpy(batch()[key])
                answer = client.infer(served_as(name), [tensor for _, tensor in tensors]).as_numpy("logits")
                wanted = run(graph_file(exported(name, repository.name), name), batch())
                np.testing.assert_allclose(answer, wanted, atol=1e-4)
            client.close()
