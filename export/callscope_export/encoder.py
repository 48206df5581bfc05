"""Whisper's encoder as a graph: the model `whisper_encoder`."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from .contract import Signature
from .graph import Graph, GraphBuilder, finish
from .layers import ROWS, FeedForward, Loader, whisper_self_attention
from .precision import Precision, cast_float
from .whisper import WhisperSettings


def encoder_graph(
    weights: Mapping[str, NDArray[Any]], settings: WhisperSettings, precision: Precision, signature: Signature
) -> Graph:
    """Build the graph from the log-mel spectrogram, shape (batch, M, F), to the states, shape (batch, C, D)."""
    graph = GraphBuilder("whisper_encoder")
    loader = Loader(graph, weights, precision).at("encoder")
    mel = cast_float(graph, graph.input(signature.inputs[0], batched=True), "FP32", precision.float_type)
    convolved = _convolution(loader, "conv2", _convolution(loader, "conv1", mel, stride=1), stride=2)
    x = graph.op("Transpose", convolved, perm=[0, 2, 1])
    x = graph.op("Add", x, loader.constant("embed_positions.weight"))
    x = graph.op("Reshape", x, graph.integers(-1, settings.width))
    x = graph.sized(x, precision.float_type, ROWS, settings.width)
    for index in range(settings.encoder_layers):
        x = _layer(loader.at(f"layers.{index}"), settings, x)
    states = graph.op(
        "Reshape", loader.norm("layer_norm")(graph, x), graph.integers(-1, settings.encoder_positions, settings.width)
    )
    return finish(graph, signature, {"states": states})


def _convolution(loader: Loader, name: str, x: str, *, stride: int) -> str:
    kernel, bias = loader.constant(f"{name}.weight"), loader.constant(f"{name}.bias")
    return loader.graph.op("Gelu", loader.graph.op("Conv", x, kernel, bias, strides=[stride], pads=[1, 1]))


def _layer(loader: Loader, settings: WhisperSettings, x: str) -> str:
    """Run a layer over x, shape (batch * positions, width)."""
    graph = loader.graph
    attention = whisper_self_attention(loader.at("self_attn"), settings.encoder_heads)
    normed = loader.norm("self_attn_layer_norm")(graph, x)
    x = graph.op("Add", x, attention.unmasked(graph, normed, settings.encoder_positions))
    forward = FeedForward(loader.linear("fc1"), loader.linear("fc2"))
    return graph.op("Add", x, forward(graph, loader.norm("final_layer_norm")(graph, x)))
