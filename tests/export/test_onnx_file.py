"""A graph's file, written part by part, is what protobuf writes."""

from __future__ import annotations

import numpy as np
import pytest

from callscope_export.checkpoint import open_checkpoint
from callscope_export.contract import Signature, Tensor, signature
from callscope_export.decoder import decoder_graph
from callscope_export.graph import Graph, GraphBuilder, finish
from callscope_export.onnx_file import file_parts
from callscope_export.precisions import PRECISIONS
from callscope_export.whisper import read_whisper, whisper_weights

from .fixture_types import Checkpoints


def is_what_protobuf_writes(graph: Graph) -> bool:
    return b"".join(bytes(part) for part in file_parts(graph)) == graph.whole().SerializeToString()


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", ["multilingual", "english_only"])
def test_a_decoders_file_is_what_protobuf_writes(checkpoint: Checkpoints, name: str, precision: str) -> None:
    source, chosen = open_checkpoint(checkpoint(name)), PRECISIONS[precision]
    settings = read_whisper(source)
    described = signature("whisper_decoder", settings.sizes, chosen.float_type)
    assert is_what_protobuf_writes(decoder_graph(whisper_weights(source), settings, chosen, described))


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 2_097_152])
@pytest.mark.parametrize("dtype", ["float32", "float16", "int64", "uint8", "bool"])
def test_lengths_of_every_size_are_written(size: int, dtype: str) -> None:
    described = Signature("part", "onnxruntime", (Tensor("x", "INT64", (1,)),), (Tensor("y", "INT64", (-1,)),))
    graph = GraphBuilder("part")
    x = graph.input(described.inputs[0], batched=True)
    weight = graph.op("Cast", graph.constant(np.zeros(size // np.dtype(dtype).itemsize, dtype)), to=7)
    assert is_what_protobuf_writes(finish(graph, described, {"y": graph.op("Concat", x, weight, axis=0)}))


def test_a_graph_without_weights_is_written() -> None:
    described = Signature("part", "onnxruntime", (Tensor("x", "INT64", (1,)),), (Tensor("y", "INT64", (1,)),))
    graph = GraphBuilder("part")
    assert is_what_protobuf_writes(finish(graph, described, {"y": graph.input(described.inputs[0], batched=True)}))
