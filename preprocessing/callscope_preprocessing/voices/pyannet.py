"""PyanNet, a network that hears who of at most three speakers is speaking, frame by frame, two at once at most.

Plaquet and Bredin, "Powerset multi-class cross entropy loss for neural speaker diarization", 2023, arXiv 2310.13025;
weights as pyannote publishes them (segmentation-3.0, MIT). Its first layer: Ravanelli and Bengio, "Speaker Recognition
from Raw Waveform with SincNet", 2018, arXiv 1808.00158.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.voices.graph import Graph
from callscope_preprocessing.voices.weights import Weights

RATE_HZ = 16_000
FRAME_SAMPLES = 270
FIRST_CENTRE = 495
"""Samples from one frame to the next, and to the middle of the first."""
SPEAKERS = 3
POWERSET = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], np.bool_)
"""Which speakers each class stands for, shape (classes, speakers)."""

LOWEST_HZ = 50.0
NARROWEST_HZ = 50.0
LAYERS = 3
RECURRENT_LAYERS = 4
SLOPE = 0.01


def sinc_filters(weights: Weights) -> NDArray[np.float32]:
    """Band-pass filters in pairs, even and odd, shape (80, 1, 251), from the learnt edges of their bands."""
    name = "sincnet.conv1d.0.filterbank"
    window, phase = (weights[f"{name}.{part}"].astype(np.float64) for part in ("window_", "n_"))
    low = LOWEST_HZ + np.abs(weights[f"{name}.low_hz_"].astype(np.float64))
    width = np.abs(weights[f"{name}.band_hz_"].astype(np.float64))
    high = np.clip(low + NARROWEST_HZ + width, LOWEST_HZ, RATE_HZ / 2)
    band = high - low
    even = (np.sin(high @ phase) - np.sin(low @ phase)) / (phase / 2) * window
    odd = (np.cos(low @ phase) - np.cos(high @ phase)) / (phase / 2) * window
    cosines = np.concatenate([even, 2 * band, even[:, ::-1]], axis=1)
    sines = np.concatenate([odd, np.zeros_like(band), -odd[:, ::-1]], axis=1)
    filters = np.concatenate([cosines / (2 * band), sines / (2 * band)])
    return filters[:, np.newaxis].astype(np.float32)


def _frames(graph: Graph, weights: Weights) -> str:
    """The convolutions, the wave and every layer normalised: shape (batch, channels, frames)."""

    def norm(x: str, name: str) -> str:
        scale, bias = (graph.constant(weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return graph.add("InstanceNormalization", x, scale, bias)

    x = norm("waveform", "sincnet.wav_norm1d")
    for layer in range(LAYERS):
        if layer == 0:
            x = graph.add("Abs", graph.add("Conv", x, graph.constant(sinc_filters(weights)), strides=[10]))
        else:
            parts = (weights[f"sincnet.conv1d.{layer}.{part}"] for part in ("weight", "bias"))
            x = graph.add("Conv", x, *map(graph.constant, parts))
        pooled = graph.add("MaxPool", x, kernel_shape=[3], strides=[3])
        x = graph.add("LeakyRelu", norm(pooled, f"sincnet.norm1d.{layer}"), alpha=SLOPE)
    return x


def _recurrent(graph: Graph, weights: Weights, layer: int, x: str) -> str:
    """One LSTM in both directions, shape (frames, batch, features) in and out."""

    def gates(part: str) -> NDArray[np.float32]:  # PyTorch has them as i, f, c, o, and ONNX as i, o, f, c
        both = [np.split(weights[f"lstm.{part}_l{layer}{way}"], 4) for way in ("", "_reverse")]
        return np.stack([np.concatenate([i, o, f, c]) for i, f, c, o in both])

    biases = np.concatenate([gates("bias_ih"), gates("bias_hh")], axis=1)
    hidden = biases.shape[1] // 8
    tensors = map(graph.constant, (gates("weight_ih"), gates("weight_hh"), biases))
    y = graph.add("LSTM", x, *tensors, hidden_size=hidden, direction="bidirectional")
    return graph.add("Reshape", graph.add("Transpose", y, perm=[0, 2, 1, 3]), graph.constant([0, 0, -1], np.int64))


def pyannet(weights: Weights) -> bytes:
    """The network as an ONNX model.

    Args:
        weights: the published state dict.

    Returns:
        A model of sound, shape (batch, 1, samples at 16 kHz), to probabilities, shape (batch, frames, 7 classes).

    Raises:
        KeyError: weights of another network.
    """
    graph = Graph()
    x = graph.add("Transpose", _frames(graph, weights), perm=[2, 0, 1])
    for layer in range(RECURRENT_LAYERS):
        x = _recurrent(graph, weights, layer, x)

    def linear(x: str, name: str) -> str:
        weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return graph.add("Add", graph.add("MatMul", x, graph.constant(weight.T)), graph.constant(bias))

    for name in ("linear.0", "linear.1"):
        x = graph.add("LeakyRelu", linear(x, name), alpha=SLOPE)
    scores = graph.add("Transpose", linear(x, "classifier"), perm=[1, 0, 2])
    return graph.finish("waveform", ["batch", 1, "samples"], graph.add("Softmax", scores, axis=2))
