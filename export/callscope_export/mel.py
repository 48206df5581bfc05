"""The log-mel spectrogram as a graph: the model `log_mel`.

It keeps its own precision, whatever the models after it use.
"""

import numpy as np
import onnx
from numpy.typing import NDArray

from .contract import Signature
from .graph import Graph, GraphBuilder, finish
from .spectrum import power_spectrum
from .whisper import MelSettings

Matrix = NDArray[np.float64]

HIGHEST_HZ = 8000.0
"""Where the highest mel band ends; WhisperFeatureExtractor fixes it for every sample rate."""
_BREAK_HZ, _BREAK_MEL, _LOG_STEP = 1000.0, 15.0, 27.0 / np.log(6.4)


def log_mel_graph(settings: MelSettings, signature: Signature) -> Graph:
    """Build the graph from INT16 audio, shape (batch, S), to the log-mel spectrogram, shape (batch, M, F).

    Formula: WhisperFeatureExtractor of transformers (reflect padding, periodic Hann window, power, Slaney mel bands,
    log10, at most 8 below the row's maximum, (x + 4) / 4).
    """
    graph = GraphBuilder("log_mel")
    audio = graph.op("Cast", graph.input(signature.inputs[0], batched=True), to=onnx.TensorProto.FLOAT)
    natural = graph.op("Log", graph.op("Max", _bands(graph, audio, settings), graph.constant(np.float32(1e-10))))
    log10 = graph.op("Mul", natural, graph.constant(np.float32(1 / np.log(10))))
    loudest = graph.op("ReduceMax", log10, graph.integers(1, 2), keepdims=1)
    limited = graph.op("Max", log10, graph.op("Sub", loudest, graph.constant(np.float32(8))))
    quarter, one = graph.constant(np.float32(0.25)), graph.constant(np.float32(1))
    return finish(graph, signature, {"mel": graph.op("Add", graph.op("Mul", limited, quarter), one)})


def _bands(graph: GraphBuilder, samples: str, settings: MelSettings) -> str:
    """Compute the power in every mel band, shape (batch, M, F), of samples of shape (batch, S)."""
    filters = mel_filters(settings).T.astype(np.float32)
    parts = [
        graph.op("MatMul", graph.constant(filters[:, bins.which]), bins.power)
        for bins in power_spectrum(graph, samples, settings)
    ]
    return graph.op("Sum", *parts)


def mel_filters(settings: MelSettings) -> Matrix:
    """Compute triangular mel bands of equal area, shape (1 + fft_samples // 2, mel_bins).

    Formula: `transformers.audio_utils.mel_filter_bank` with norm and mel_scale "slaney", itself after librosa.
    """
    edges = _hertz(np.linspace(0.0, _mel(HIGHEST_HZ), settings.mel_bins + 2))
    bins = np.linspace(0, settings.sample_rate_hz // 2, 1 + settings.fft_samples // 2)
    slopes = edges[None, :] - bins[:, None]
    widths = np.diff(edges)
    rising, falling = -slopes[:, :-2] / widths[:-1], slopes[:, 2:] / widths[1:]
    filters: Matrix = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (edges[2:] - edges[:-2]))
    return filters


def _mel(hertz: float) -> float:
    return float(_BREAK_MEL + np.log(hertz / _BREAK_HZ) * _LOG_STEP) if hertz >= _BREAK_HZ else 3.0 * hertz / 200.0


def _hertz(mel: Matrix) -> Matrix:
    return np.where(mel >= _BREAK_MEL, _BREAK_HZ * np.exp((mel - _BREAK_MEL) / _LOG_STEP), 200.0 * mel / 3.0)
