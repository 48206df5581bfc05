"""The models `punctuate` and `sentiment` against BERT in plain numpy."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file

from callscope_export import export_classifier
from callscope_export.checkpoint import open_checkpoint
from callscope_export.classifier import read_classifier
from callscope_export.errors import CheckpointInvalid, CheckpointUnsupported, ParityFailed

from ..referee.host_loop import erf, softmax
from .fixture_types import Checkpoints, OpenModel


def host_logits(folder: Path, ids: NDArray[Any]) -> NDArray[Any]:
    """Run BERT over one text without padding."""
    weights = {name: array.astype(np.float64) for name, array in load_file(folder / "model.safetensors").items()}
    heads = json.loads((folder / "config.json").read_text())["num_attention_heads"]

    def linear(name: str, x: NDArray[Any]) -> NDArray[Any]:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(name: str, x: NDArray[Any]) -> NDArray[Any]:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    embeddings = "bert.embeddings"
    x = weights[f"{embeddings}.word_embeddings.weight"][ids]
    x = x + weights[f"{embeddings}.position_embeddings.weight"][: len(ids)]
    x = norm(f"{embeddings}.LayerNorm", x + weights[f"{embeddings}.token_type_embeddings.weight"][0])
    for index in range(2):
        name = f"bert.encoder.layer.{index}"
        q, k, v = (
            linear(f"{name}.attention.self.{part}", x).reshape(len(ids), heads, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        mixed = softmax(q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])) @ v
        attended = linear(f"{name}.attention.output.dense", mixed.transpose(1, 0, 2).reshape(len(ids), -1))
        x = norm(f"{name}.attention.output.LayerNorm", x + attended)
        hidden = linear(f"{name}.intermediate.dense", x)
        hidden = 0.5 * hidden * (1 + erf(hidden / math.sqrt(2)))
        x = norm(f"{name}.output.LayerNorm", x + linear(f"{name}.output.dense", hidden))
    if "bert.pooler.dense.weight" in weights:
        x = np.tanh(linear("bert.pooler.dense", x[0]))
    return linear("classifier", x)


def request(rng: np.random.Generator, length: int, padded: int = 32) -> dict[str, NDArray[Any]]:
    ids = np.zeros((1, padded), np.int64)
    ids[0, :length] = rng.integers(0, 60, length)
    return {"input_ids": ids, "attention_mask": (np.arange(padded) < length).astype(np.int64)[None]}


@pytest.mark.parametrize("name", ["punctuate", "sentiment"])
@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-4), ("int8", 0.3), ("fp16", 0.05)])
def test_logits_equal_the_hosts_whatever_the_padding(
    checkpoint: Checkpoints, open_model: OpenModel, name: str, precision: str, tolerance: float
) -> None:
    rng = np.random.default_rng(3)
    session = open_model(name, name, precision)
    for length in (1, 5, 32):
        for padded in {length, 32, 48}:
            inputs = request(rng, length, padded)
            (logits,) = session.run(None, inputs)
            expected = host_logits(checkpoint(name), inputs["input_ids"][0, :length])
            found = logits[0, :length] if name == "punctuate" else logits[0]
            assert logits.dtype == np.float32
            np.testing.assert_allclose(found, expected, atol=tolerance)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("name", ["punctuate", "sentiment"])
def test_a_text_does_not_depend_on_the_texts_beside_it(
    open_model: OpenModel, rng: np.random.Generator, name: str, precision: str
) -> None:
    session = open_model(name, name, precision)
    alone = [request(rng, length) for length in (3, 32, 11)]
    together = {key: np.concatenate([inputs[key] for inputs in alone]) for key in alone[0]}
    (logits,) = session.run(None, together)
    for row, inputs in enumerate(alone):
        np.testing.assert_allclose(session.run(None, inputs)[0][0], logits[row], atol=1e-5)


def test_labels_come_in_the_order_of_their_indices(checkpoint: Checkpoints, tmp_path: Path) -> None:
    config = json.loads((checkpoint("sentiment") / "config.json").read_text())
    config["id2label"] = {"10": "k", "2": "c", "1": "b", "0": "a"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes((checkpoint("sentiment") / "model.safetensors").read_bytes())
    assert read_classifier(open_checkpoint(tmp_path), per_token=False).labels == ("a", "b", "c", "k")


def test_a_classifier_of_texts_cannot_punctuate(checkpoint: Checkpoints, tmp_path: Path) -> None:
    with pytest.raises(CheckpointInvalid, match="ForTokenClassification"):
        export_classifier(checkpoint("sentiment"), tmp_path / "repository", name="punctuate")
    assert not (tmp_path / "repository").exists()


@pytest.mark.parametrize(("key", "value"), [("model_type", "xlm-roberta"), ("hidden_act", "relu")])
def test_what_is_not_plain_bert_names_the_extra_it_takes(
    checkpoint: Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: str
) -> None:
    monkeypatch.setattr("callscope_export.tracer.can_trace", lambda: False)
    config = json.loads((checkpoint("sentiment") / "config.json").read_text()) | {key: value}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes((checkpoint("sentiment") / "model.safetensors").read_bytes())
    (tmp_path / "tokenizer.json").write_bytes((checkpoint("sentiment") / "tokenizer.json").read_bytes())
    with pytest.raises(CheckpointUnsupported, match=f"{value}.*callscope\\[optimum\\]"):
        export_classifier(tmp_path, tmp_path / "repository", name="sentiment")
    assert not (tmp_path / "repository").exists()


@pytest.mark.parametrize(
    ("settings", "tokenizer", "expected"),
    [
        ({"model_type": "xlm-roberta", "max_position_embeddings": 514, "pad_token_id": 1}, {}, 512),
        ({"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1}, {"model_max_length": 128}, 128),
        (
            {"model_type": "distilbert", "max_position_embeddings": 512, "pad_token_id": 0},
            {"model_max_length": 1e30},
            512,
        ),
        ({"model_type": "bert", "max_position_embeddings": 64}, {"model_max_length": 512}, 64),
        ({"model_type": "xlnet", "max_position_embeddings": None}, {"model_max_length": 1024}, 1024),
    ],
)
def test_the_longest_text_is_what_the_positions_and_the_tokenizer_allow(
    checkpoint: Checkpoints, tmp_path: Path, settings: dict[str, Any], tokenizer: dict[str, Any], expected: int
) -> None:
    config = json.loads((checkpoint("sentiment") / "config.json").read_text()) | settings
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    (tmp_path / "model.safetensors").write_bytes((checkpoint("sentiment") / "model.safetensors").read_bytes())
    assert read_classifier(open_checkpoint(tmp_path), per_token=False).max_length == expected


def test_a_checkpoint_without_a_tokenizer_is_refused(checkpoint: Checkpoints, tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((checkpoint("sentiment") / name).read_bytes())
    with pytest.raises(CheckpointInvalid, match=r"no tokenizer\.json.*callscope\[optimum\]"):
        export_classifier(tmp_path, tmp_path / "repository", name="sentiment")


def test_a_comparison_that_is_required_needs_its_extra(
    checkpoint: Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callscope_export.gate.can_compare", lambda: False)
    with pytest.raises(ParityFailed, match=r"callscope\[referee\]"):
        export_classifier(checkpoint("sentiment"), tmp_path / "repository", name="sentiment", parity="require")
