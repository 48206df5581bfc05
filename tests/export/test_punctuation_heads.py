"""A punctuation model of several heads, from its published files to text that the client writes with a real Triton."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper
from tokenizers import Tokenizer

from callscope.triton.punctuator import Punctuator
from callscope.triton.transport import connect
from callscope.triton.written import Punctuated
from callscope_export import export_classifier
from callscope_export.checkpoint import open_checkpoint
from callscope_export.errors import CheckpointInvalid, CheckpointUnsupported, ParityFailed
from callscope_export.graph import Graph
from callscope_export.heads import read_heads
from callscope_export.heads_parity import check_heads
from callscope_export.recipe import export_all
from callscope_export.unigram import unigram_tokenizer

from ..repository_files import config_tensors, graph_tensors, parameters, read_config
from .loopback_hub import COMMIT, Hub, loopback_hub
from .published_heads import AFTER, CHARACTERS, MAX_LENGTH, sentences, write_heads

if TYPE_CHECKING:
    from callscope_server.environment import Environment
    from callscope_server.launcher import TritonServer

sentencepiece = pytest.importorskip("sentencepiece", reason="SentencePiece is not installed: requirements/dev.txt")

Array = NDArray[Any]
OUTPUTS = ("before", "after", "upper", "boundary")
TEXTS = (
    "hello mister smith what is your name",
    "can i help you today",
    "what can i do today",
    "はい少々お待ちください お名前は何ですか",
    "네 맞습니다 언제 오시나요",
)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published files."""
    return write_heads(tmp_path_factory.mktemp("published") / "four-heads")


@pytest.fixture(scope="module", params=["fp32", "fp16", "int8"])
def exported(request: pytest.FixtureRequest, published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was exported from them, in each precision that there is."""
    repository = tmp_path_factory.mktemp("repositories") / str(request.param)
    assert export_classifier(published, repository, name="punctuate", precision=request.param).compared
    return repository


def copy(published: Path, folder: Path) -> Path:
    return Path(shutil.copytree(published, folder / "four-heads"))


def session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def processor(published: Path) -> Any:
    return sentencepiece.SentencePieceProcessor(model_file=str(published / "sp.model"))


def rows_of(published: Path) -> list[list[int]]:
    pieces = processor(published)
    return [[pieces.bos_id(), *pieces.encode(text), pieces.eos_id()] for text in TEXTS]


def batch(rows: list[list[int]], filler: int) -> dict[str, Array]:
    length = max(map(len, rows))
    ids = np.array([row + [filler] * (length - len(row)) for row in rows])
    return {"input_ids": ids, "attention_mask": (np.arange(length) < [[len(row)] for row in rows]).astype(np.int64)}


def test_it_decides_as_published_whatever_fills_the_batch_up(published: Path, exported: Path) -> None:
    rows, original = rows_of(published), session(published / "model.onnx")
    graph = session(exported / "punctuate" / "1" / "model.onnx")
    asks = processor(published).piece_to_id("▁what")
    for filler in (0, 1, asks):
        found = dict(zip(OUTPUTS, graph.run(list(OUTPUTS), batch(rows, filler)), strict=True))
        for index, row in enumerate(rows):
            expected = original.run(None, {"input_ids": np.array([row])})
            for name, wanted in zip(OUTPUTS, expected, strict=True):
                np.testing.assert_array_equal(found[name][index, : len(row)], wanted[0], err_msg=f"{name}, {filler}")


def test_config_and_graph_say_the_same(exported: Path) -> None:
    config = read_config(exported, "punctuate")
    graph = session(exported / "punctuate" / "1" / "model.onnx")
    assert config_tensors(config.input) == graph_tensors(graph.get_inputs(), batched=True)
    assert config_tensors(config.output) == graph_tensors(graph.get_outputs(), batched=True)
    assert [tensor.name for tensor in config.output] == list(OUTPUTS)
    assert config_tensors(config.output)[2][2][-1] == CHARACTERS
    told = parameters(config)
    assert json.loads(told["heads"]) == list(OUTPUTS)
    assert json.loads(told["labels"]) == ["O", "ACRONYM", *AFTER[2:]]
    assert json.loads(told["before_labels"]) == ["O", "¿"]
    assert (told["max_length"], told["precision"], told["source"]) == (str(MAX_LENGTH), exported.name, "four-heads")
    assert told["revision"].startswith("sha256:")
    report = json.loads((exported / "punctuate" / "1" / "report.json").read_text())
    assert report["found"] == dict.fromkeys(OUTPUTS, 1.0)
    assert "onnxruntime" in report["reference"]


def test_matrices_are_stored_as_asked(exported: Path) -> None:
    graph = onnx.load(exported / "punctuate" / "1" / "model.onnx").graph
    types = {tensor.data_type for tensor in graph.initializer if len(tensor.dims) == 2 and np.prod(tensor.dims) > 100}
    wanted = {"fp32": onnx.TensorProto.FLOAT, "fp16": onnx.TensorProto.FLOAT16, "int8": onnx.TensorProto.INT8}
    assert types == {wanted[exported.name]}


def test_the_tokenizer_gives_the_tokens_of_sentencepiece(published: Path) -> None:
    pieces, texts = processor(published), set(sentences())
    tokenizer = Tokenizer.from_str(unigram_tokenizer(published / "sp.model").decode())
    odd = {"", " two  spaces ", "ＡＢ　ｃ①", "x\u200by\tz\n", "emoji 😀 ok", "ﬁn ½ ﷺ", "ꙮꙮ ꙮ", "한 국", "I'm 3.50"}
    decomposed = {unicodedata.normalize("NFD", text) for text in texts}
    for text in texts | odd | decomposed | {text.title() for text in texts}:
        assert tokenizer.encode(text).ids == [pieces.bos_id(), *pieces.encode(text), pieces.eos_id()], repr(text)
    assert len(texts) > 1000


def test_words_that_run_together_and_a_text_without_a_space_before_it(tmp_path: Path) -> None:
    folder = write_heads(tmp_path / "others", split_by_whitespace=False, byte_fallback=True)
    pieces = processor(folder)
    tokenizer = Tokenizer.from_str(unigram_tokenizer(folder / "sp.model").decode())
    for text in (*TEXTS, *sentences(), "emoji 😀 ok"):
        assert tokenizer.encode(text).ids[1:-1] == pieces.encode(text), repr(text)


def test_a_recipe_takes_it_and_a_graph_that_decides_otherwise_is_refused(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import callscope_export.export as flow  # noqa: PLC0415  to be damaged

    recipe = tmp_path / "recipe.toml"
    recipe.write_text(f'[punctuate]\nsource = "{published}"\nparity = "require"\n')
    assert [(report.precision, report.compared) for report in export_all(recipe)] == [("int8", True)]
    sound = flow.heads_graph

    def damaged(*arguments: Any) -> Graph:
        graph = sound(*arguments)
        weights = {
            name: np.roll(array, 1) if name.endswith("after") else array for name, array in graph.weights.items()
        }
        return Graph(graph.bare, weights)

    monkeypatch.setattr(flow, "heads_graph", damaged)
    with pytest.raises(ParityFailed, match=r"of `after` .*are the same"):
        export_classifier(published, tmp_path / "damaged", name="punctuate", precision="fp32")
    assert not (tmp_path / "damaged").exists()


def test_a_graph_that_heeds_the_neighbours_of_a_text_is_refused(published: Path, exported: Path) -> None:
    checkpoint, graph = open_checkpoint(published), session(exported / "punctuate" / "1" / "model.onnx")

    def swayed(_name: str, inputs: Any) -> dict[str, Array]:
        found = dict(zip(OUTPUTS, graph.run(list(OUTPUTS), dict(inputs)), strict=True))
        return found | {"boundary": found["boundary"] ^ (len(found["boundary"]) == 1)}

    options = {"tokenizer": unigram_tokenizer(published / "sp.model"), "precision": exported.name}
    with pytest.raises(ParityFailed, match="alone and among others"):
        check_heads(checkpoint, read_heads(checkpoint), run=swayed, **options)


def test_other_precisions_are_refused_with_what_to_choose(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CheckpointUnsupported, match=r"not in w8a16.*--precision fp16"):
        export_classifier(published, tmp_path / "models", name="punctuate", precision="w8a16")
    monkeypatch.setattr("callscope_export.heads.find_spec", lambda _: None)
    with pytest.raises(CheckpointUnsupported, match=r"takes onnxruntime.*callscope\[referee\]"):
        export_classifier(published, tmp_path / "models", name="punctuate", profile="gpu")
    assert not (tmp_path / "models").exists()


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def damaged_pieces(folder: Path) -> None:
    (folder / "sp.model").write_bytes(b"\xff" * 40)


def no_labels(folder: Path) -> None:
    (folder / "config.yaml").write_text("max_length: 24\n")


def no_mapping(folder: Path) -> None:
    (folder / "config.yaml").write_text("{")


def one_head(folder: Path) -> None:
    model = onnx.load(folder / "model.onnx")
    del model.graph.output[1:]
    onnx.save(model, folder / "model.onnx")


def damaged_graph(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"no graph")


def two_graphs(folder: Path) -> None:
    shutil.copy(folder / "model.onnx", folder / "other.onnx")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without("sp.model"), r"0 files \*\.model"),
        (without("config.yaml"), r"no model\.safetensors"),
        (damaged_pieces, "no SentencePiece model"),
        (no_labels, "post_labels"),
        (no_mapping, r"config\.yaml cannot be read"),
        (one_head, "gives outputs of"),
        (damaged_graph, "cannot be read as ONNX"),
        (two_graphs, r"2 files \*\.onnx"),
    ],
)
def test_what_is_not_whole_is_refused(
    published: Path, tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    folder = copy(published, tmp_path)
    damage(folder)
    with pytest.raises(CheckpointInvalid, match=message):
        export_classifier(folder, tmp_path / "models", name="punctuate")
    assert not (tmp_path / "models").exists()


def test_pieces_of_another_algorithm_are_refused(published: Path, tmp_path: Path) -> None:
    folder = copy(published, tmp_path)
    options = {"model_type": "bpe", "vocab_size": 1000, "minloglevel": 2, "pad_id": 3}
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=sentences(), model_prefix=str(folder / "sp"), **options)
    with pytest.raises(CheckpointUnsupported, match="unigram"):
        export_classifier(folder, tmp_path / "models", name="punctuate")


def test_it_is_no_sentiment(published: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointInvalid, match=r"config\.json"):
        export_classifier(published, tmp_path / "models", name="sentiment")


def test_it_is_fetched_from_the_hub_without_what_it_was_trained_as(published: Path, tmp_path: Path) -> None:
    folder = copy(published, tmp_path)
    (folder / "heads.nemo").write_bytes(b"gigabytes")
    repository = tmp_path / "models"
    with loopback_hub(Hub("made-up/heads", folder)) as hub:
        environment = os.environ | {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "cache")}
        command = [sys.executable, "-m", "callscope", "export", "punctuation", "made-up/heads"]
        command += ["--repository", str(repository), "--precision", "fp32"]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        assert not any("nemo" in path for _, path, _ in hub.asked)
    told = parameters(read_config(repository, "punctuate"))
    assert (told["source"], told["revision"]) == ("made-up/heads", COMMIT)


@pytest.fixture(scope="module")
def served(exported: Path, server_environment: Environment) -> Iterator[TritonServer]:
    """A Triton over each of the exports."""
    from callscope_server.launcher import TritonServer  # noqa: PLC0415  most tests need no server

    with TritonServer(exported, environment=server_environment) as server:
        yield server


def marked(url: str, *texts: tuple[str, str]) -> list[Punctuated]:
    async def mark() -> list[Punctuated]:
        transport = connect(url)
        try:
            punctuator = await Punctuator.from_server(transport)
            return list(await asyncio.gather(*(punctuator.mark(text, language) for language, text in texts)))
        finally:
            await transport.close()

    return asyncio.run(mark())


def test_the_client_writes_what_the_four_heads_say(served: TritonServer) -> None:
    expected = {
        ("en", "hello mister smith what is your name"): "Hello, Mister Smith.| What is your name?",
        ("en", "Hello Mister smith it is nine am now ok"): "Hello, Mister Smith.| it is nine a.m. now.| ok",
        ("en", "good morning miss mcdonald what can i do today"): "good morning miss McDonald, What can i do today?",
        ("en", "can i help you today"): "can i help you today.",
        ("es", "hola cómo estás"): "hola ¿Cómo estás?",
        ("ja", "はい少々お待ちくださいお名前は何ですか"): "はい、少々お待ちください。|お名前は何ですか？",
        ("ko", "네 맞습니다 언제 오시나요"): "네, 맞습니다.| 언제 오시나요?",
        ("en", "hello there. what is your name"): "hello there. what is your name",
    }
    for url in (f"grpc://{served.endpoints.grpc}", f"http://{served.endpoints.http}"):
        found = marked(url, *expected)
        for written, text in zip(found, expected.values(), strict=True):
            edges = [0, *written.boundaries, len(written.text)]
            assert "|".join(written.text[a:b] for a, b in pairwise(edges)) == text


def test_a_long_text_is_marked_throughout(served: TritonServer) -> None:
    (english, japanese) = marked(
        f"grpc://{served.endpoints.grpc}",
        ("en", " ".join(["hello mister smith what is your name"] * 20)),
        ("ja", "少々お待ちください" * 30),
    )
    assert english.text == " ".join(["Hello, Mister Smith. What is your name?"] * 20)
    assert len(english.boundaries) == 39
    assert japanese == Punctuated("少々お待ちください。" * 30, tuple(range(10, 300, 10)))


def test_the_weights_know_what_they_say(published: Path) -> None:
    """Guards the fixture: a model that says nothing would pass the comparisons above."""
    graph = onnx.load(published / "model.onnx").graph
    embedding = next(numpy_helper.to_array(one) for one in graph.initializer if one.name == "embedding")
    assert len({tuple(np.round(row, 3)) for row in embedding}) > 12
