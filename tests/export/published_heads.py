"""Writes a punctuation model of several heads as it is published: a graph, a SentencePiece model, config.yaml.

The graph is of the published one's shape, and its weights are made so that every answer is known: what it says of a
piece is in `SAYS`. Like a real one it lets the words of a text bear on each other, and takes what is no text from the
padding token: "today" ends a statement, or a question where the text asks "what".
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

DEMO_TEXTS = Path(__file__).parents[2] / "demo" / "texts"
BEFORE = ("<NULL>", "¿")
AFTER = ("<NULL>", "<ACRONYM>", ".", ",", "?", "？", "，", "。", "、", "・", "।", "؟", "،", ";", "።", "፣", "፧")
HEADS = ("before", "after", "upper", "ends")
CHARACTERS = 16
MAX_LENGTH = 24
OPSET = 15
"""That of what is published; 8-bit products want a later one."""
WIDTH = 48
YES = 6.0


@dataclass(frozen=True)
class Says:
    """What the model says of a piece: marks, the numbers of its capitals, and whether a sentence ends."""

    after: str = "<NULL>"
    before: str = "<NULL>"
    upper: tuple[int, ...] = ()
    ends: bool = False


SAYS = {
    "▁hello": Says(",", upper=(1,)),
    "▁mister": Says(upper=(1,)),
    "▁smith": Says(".", upper=(1,), ends=True),
    "▁what": Says(upper=(1,)),
    "▁name": Says("?", ends=True),
    "▁mcdonald": Says(",", upper=(1, 3)),
    "▁am": Says("<ACRONYM>"),
    "▁now": Says(".", ends=True),
    "▁today": Says(".", ends=True),
    "▁cómo": Says(before="¿", upper=(1,)),
    "▁estás": Says("?", ends=True),
    "▁はい": Says("、"),
    "ください": Says("。", ends=True),
    "ですか": Says("？", ends=True),
    "▁네": Says(","),
    "습니다": Says(".", ends=True),
    "나요": Says("?", ends=True),
}


def sentences() -> Iterator[str]:
    """The demo's sentences, each once, in lower case and without marks."""
    for language in ("en", "ja", "ko"):
        with (DEMO_TEXTS / language / "patterns.tsv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                first = re.sub(r"\(([^|)]*)[^)]*\)", r"\1", row["pattern"])
                yield " ".join(re.sub(r"\{\w+\}|[^\w\s']", "", first).lower().split())


def write_heads(folder: Path, **options: Any) -> Path:
    """Write the three files; `options` go to the trainer of SentencePiece."""
    import sentencepiece  # noqa: PLC0415  the tests that need it skip without it

    folder.mkdir(parents=True)
    model = io.BytesIO()
    options = {"vocab_size": 1200, "bos_id": 0, "pad_id": 1, "eos_id": 2, "unk_id": 3, **options}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=sentences(), model_writer=model, minloglevel=2, hard_vocab_limit=False, **options
    )
    (folder / "sp.model").write_bytes(with_words(model.getvalue()))
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "sp.model"))
    says = {pieces.piece_to_id(piece): said for piece, said in SAYS.items()}
    onnx.save(heads_model(says, len(pieces), pieces.piece_to_id("▁what")), folder / "model.onnx")
    (folder / "config.yaml").write_text(_config(), encoding="utf-8")
    return folder


def with_words(model: bytes) -> bytes:
    """Add the pieces of `SAYS` that the trainer did not make, likely ones."""
    from sentencepiece import sentencepiece_model_pb2  # noqa: PLC0415  as above

    message = sentencepiece_model_pb2.ModelProto.FromString(model)
    for piece in sorted(set(SAYS) - {entry.piece for entry in message.pieces}):
        message.pieces.add(piece=piece, score=-2.0)
    return bytes(message.SerializeToString())


def _config() -> str:
    lists = {"languages": ("en", "es", "ja", "ko"), "pre_labels": BEFORE, "post_labels": AFTER}
    lines = [f"max_length: {MAX_LENGTH}", "null_token: <NULL>", "acronym_token: <ACRONYM>"]
    for name, values in lists.items():
        lines += [f"{name}:", *(f'- "{value}"' for value in values)]
    return "\n".join([*lines, ""])


def heads_model(says: Mapping[int, Says], vocabulary: int, asks: int, padding: int = 1) -> onnx.ModelProto:
    """Build the graph: an embedding, one value that the whole text shares, and a matrix for each head."""
    turn, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(WIDTH, WIDTH)))
    features, slices = _features(says, vocabulary, asks)
    weights = {"embedding": features @ turn.T, "shared": YES / 2 * turn[:, [slices["after"].start + 4]].T}
    weights |= {name: turn[:, columns] for name, columns in slices.items()}
    nodes = [
        helper.make_node("Gather", ["embedding", "input_ids"], ["words"]),
        helper.make_node("Equal", ["input_ids", "padding"], ["is_padding"]),
        helper.make_node("Not", ["is_padding"], ["is_text"]),
        helper.make_node("Cast", ["is_text"], ["weights"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["weights", "last_axis"], ["column"]),
        helper.make_node("MatMul", ["words", "asks"], ["asked"]),
        helper.make_node("Mul", ["asked", "column"], ["asked_in_text"]),
        helper.make_node("ReduceMax", ["asked_in_text"], ["asked_at_all"], axes=[1], keepdims=1),
        helper.make_node("MatMul", ["asked_at_all", "shared"], ["common"]),
        helper.make_node("Add", ["words", "common"], ["hidden"]),
        *(helper.make_node("MatMul", ["hidden", name], [f"{name}_logits"]) for name in HEADS),
        helper.make_node("ArgMax", ["before_logits"], ["pre_preds"], axis=-1, keepdims=0),
        helper.make_node("ArgMax", ["after_logits"], ["post_preds"], axis=-1, keepdims=0),
        helper.make_node("Sigmoid", ["upper_logits"], ["upper_share"]),
        helper.make_node("Greater", ["upper_share", "half"], ["cap_preds"]),
        helper.make_node("Squeeze", ["ends_logits", "last_axis"], ["ends_flat"]),
        helper.make_node("Sigmoid", ["ends_flat"], ["ends_share"]),
        helper.make_node("Greater", ["ends_share", "half"], ["seg_preds"]),
    ]
    constants = {"padding": np.int64(padding), "last_axis": np.array([-1]), "half": np.float32(0.5)}
    stored = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in weights.items()]
    stored += [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    ids = helper.make_tensor_value_info("input_ids", onnx.TensorProto.INT64, ["B", "T"])
    graph = helper.make_graph(nodes, "heads", [ids], [*map(_output, ("pre", "post", "cap", "seg"))], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def _output(name: str) -> onnx.ValueInfoProto:
    kind = onnx.TensorProto.BOOL if name in {"cap", "seg"} else onnx.TensorProto.INT64
    return helper.make_tensor_value_info(f"{name}_preds", kind, ["B", "T", CHARACTERS] if name == "cap" else ["B", "T"])


def _features(says: Mapping[int, Says], vocabulary: int, asks: int) -> tuple[NDArray[Any], dict[str, slice]]:
    """What each head has to read of each piece, side by side, and where each stands."""
    edges = np.cumsum([0, len(BEFORE), len(AFTER), CHARACTERS, 1, 1])
    places = [slice(start, end) for start, end in pairwise(edges.tolist())]
    slices = dict(zip((*HEADS, "asks"), places, strict=True))
    rows = np.zeros((vocabulary, WIDTH))
    rows[:, [slices["before"].start, slices["after"].start]] = YES
    rows[:, slices["upper"]] = rows[:, slices["ends"]] = -YES
    for row, said in says.items():
        for name, labels, label in (("before", BEFORE, said.before), ("after", AFTER, said.after)):
            rows[row, slices[name]] = YES * np.eye(len(labels))[labels.index(label)]
        rows[row, [slices["upper"].start + number for number in said.upper]] = YES
        rows[row, slices["ends"]] = YES if said.ends else -YES
    rows[asks, slices["asks"]] = 1
    today = next(row for row, said in says.items() if said is SAYS["▁today"])
    rows[today, slices["after"].start + AFTER.index("?")] = YES * 0.8
    return rows, slices
