"""Where each token of a transcript sounds, as a graph: the model `whisper_aligner`.

    [start, language, task, notimestamps, tokens] -> decoder layers -> what the alignment heads looked at -> one picture

The picture is that of openai/whisper (timing.py) and of transformers' token times: each head's attention, standardised
over the tokens, smoothed by a median over time, and averaged over the heads. A path through it gives the times.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from .contract import Signature
from .decoder_layers import load_decoder
from .graph import Graph, GraphBuilder, finish
from .layers import Loader
from .precision import Precision, cast_float
from .whisper import WhisperSettings

INT64 = onnx.TensorProto.INT64
FLOAT = onnx.TensorProto.FLOAT

SEEN = 1e-6
"""A state at which no token looks more than another by this much says nothing; the two others blow up its noise."""

TOGETHER = 24
"""Heads whose pictures are in memory at once: some 30 MB each while they are made, of 224 tokens over 30 s. OpenAI
names at most 23 for a model, and a large model that names none has 320."""

PLACES, ROWS = "places", "rows"
"""Names of dimensions: places of the prompt and the tokens, and rows of a picture."""

MEDIAN_OF_7 = (
    ((0, 6), (2, 3), (4, 5)),
    ((0, 2), (1, 4), (3, 6)),
    ((0, 1), (2, 5), (3, 4)),
    ((1, 2), (4, 6)),
    ((2, 3), (4, 5)),
    ((1, 2), (3, 4), (5, 6)),
)
"""Exchanges that sort seven values (Knuth, The Art of Computer Programming 3, 5.3.4); the fourth is their median."""


def aligner_graph(
    weights: Mapping[str, NDArray[Any]], settings: WhisperSettings, precision: Precision, signature: Signature
) -> Graph:
    """Build the graph of the contract's `whisper_aligner`.

    Row `i` of a picture belongs to token `i`: it is where the decoder looked when it was about to write that token. The
    row after the last token is that of end-of-text; rows beyond are 0.
    """
    graph = GraphBuilder("whisper_aligner")
    states, tokens, language = (graph.input(tensor, batched=True) for tensor in signature.inputs)
    layers = 1 + max(layer for layer, _ in settings.alignment_heads)
    decoder = load_decoder(Loader(graph, weights, precision).at("decoder"), settings, states, layers)
    written = _Written(graph, settings, tokens)
    ids = written.after_prompt(language)
    length = graph.op("Shape", ids, start=1, end=2)
    positions = graph.op("Slice", decoder.positions, graph.integers(0), length, graph.integers(0))
    positions = graph.sized(positions, precision.float_type, PLACES, settings.width)
    mask = _causal(graph, settings, precision, length)
    attentions = decoder.looked(graph, ids, positions, mask)
    heads = [_head(graph, attentions[layer], head, settings, precision) for layer, head in settings.alignment_heads]
    picture = _mean_picture(graph, written, heads, settings.encoder_positions)
    return finish(graph, signature, {"alignment": written.padded(graph.op("Mul", picture, written.valid))})


class _Written:
    """The tokens of a batch, cut after the longest row's end-of-text.

    Attributes:
        valid: FP32 of shape (batch, T, 1): 1 where a row has a token or its end-of-text, 0 beyond.
    """

    def __init__(self, graph: GraphBuilder, settings: WhisperSettings, tokens: str) -> None:
        self._graph, self._settings = graph, settings
        end = graph.constant(np.int64(settings.prompt.end_of_text))
        every = graph.op("Cast", tokens, to=INT64)
        is_text = graph.op("Cast", graph.op("Not", graph.op("Equal", every, end)), to=INT64)
        count = graph.op("ReduceSum", is_text, graph.integers(1), keepdims=1)
        rows = graph.op("Add", graph.op("ReduceMax", count, keepdims=0), graph.constant(np.int64(1)))
        most = graph.op("Min", rows, graph.constant(np.int64(settings.max_tokens)))
        self._length = graph.op("Reshape", most, graph.integers(1))
        cut = graph.op("Slice", every, graph.integers(0), self._length, graph.integers(1))
        self._tokens = graph.sized(cut, "INT64", "batch", ROWS)
        place = graph.op("Range", graph.constant(np.int64(0)), most, graph.constant(np.int64(1)))
        valid = graph.op("Cast", graph.op("LessOrEqual", place, count), to=FLOAT)
        self.valid = graph.sized(graph.op("Unsqueeze", valid, graph.integers(2)), "FP32", "batch", ROWS, 1)

    def after_prompt(self, language: str) -> str:
        """Put the prompt before the tokens but the last, which is asked for and not given: INT64 (batch, P + T - 1)."""
        graph, prompt = self._graph, self._settings.prompt
        rows = graph.op("Shape", self._tokens, start=0, end=1)
        shape = graph.op("Concat", rows, graph.integers(1), axis=0)

        def everywhere(token: int) -> str:
            return graph.op("Expand", graph.constant(np.array([[token]], np.int64)), shape)

        ids = [everywhere(prompt.start)]
        ids += [graph.op("Cast", language, to=INT64)] if prompt.languages else []
        ids += [everywhere(next(iter(prompt.tasks.values())))] if prompt.tasks else []
        ids.append(everywhere(prompt.no_timestamps))
        given = graph.op("Slice", self._tokens, graph.integers(0), graph.integers(-1), graph.integers(1))
        return graph.sized(graph.op("Concat", *ids, given, axis=1), "INT64", "batch", PLACES)

    def standardised(self, looked: str) -> str:
        """Subtract the mean over a row's own tokens and divide by their deviation; (batch, heads, T, C)."""
        graph, axis = self._graph, self._graph.integers(2)
        valid = graph.op("Unsqueeze", self.valid, graph.integers(1))
        count = graph.op("ReduceSum", valid, axis, keepdims=1)
        mean = graph.op("Div", graph.op("ReduceSum", graph.op("Mul", looked, valid), axis, keepdims=1), count)
        centred = graph.op("Mul", graph.op("Sub", looked, mean), valid)
        squares = graph.op("ReduceSum", graph.op("Mul", centred, centred), axis, keepdims=1)
        deviation = graph.op("Sqrt", graph.op("Div", squares, count))
        return graph.op("Div", centred, graph.op("Max", deviation, graph.constant(np.float32(SEEN))))

    def padded(self, picture: str) -> str:
        """Fill (batch, T, C) with zeros up to (batch, N, C)."""
        graph = self._graph
        missing = graph.op("Sub", graph.integers(self._settings.max_tokens), self._length)
        amounts = graph.op("Concat", graph.integers(0, 0, 0, 0), missing, graph.integers(0), axis=0)
        return graph.op("Pad", picture, amounts, graph.constant(np.float32(0)))


def _head(graph: GraphBuilder, attention: str, head: int, settings: WhisperSettings, precision: Precision) -> str:
    """Take one head's attention from the place on that writes the first token: FP32 (batch, 1, T, C)."""
    first = settings.prompt.length - 1
    starts, ends = graph.integers(head, first), graph.integers(head + 1, np.iinfo(np.int64).max)
    sliced = graph.op("Slice", attention, starts, ends, graph.integers(1, 2))
    sliced = graph.sized(sliced, precision.float_type, "batch", 1, ROWS, settings.encoder_positions)
    return cast_float(graph, sliced, precision.float_type, "FP32")


def _mean_picture(graph: GraphBuilder, written: _Written, heads: list[str], states: int) -> str:
    """Average what heads looked at, each (batch, 1, T, C), over at most `TOGETHER` of them at a time: (batch, T, C)."""
    pictures = []
    for start in range(0, len(heads), TOGETHER):
        looked = graph.op("Concat", *heads[start : start + TOGETHER], axis=1)
        smooth = _median_of_7(graph, written.standardised(looked), states)
        reduce = "ReduceMean" if len(heads) <= TOGETHER else "ReduceSum"
        pictures.append(graph.op(reduce, smooth, graph.integers(1), keepdims=0))
    if len(pictures) == 1:
        return pictures[0]
    return graph.op("Div", graph.op("Sum", *pictures), graph.constant(np.float32(len(heads))))


def _causal(graph: GraphBuilder, settings: WhisperSettings, precision: Precision, length: str) -> str:
    most = settings.prompt.length + settings.max_tokens - 1
    whole = graph.constant(np.triu(np.full((most, most), -np.inf, precision.dtype), k=1))
    ends = graph.op("Concat", length, length, axis=0)
    mask = graph.op("Slice", whole, graph.integers(0, 0), ends, graph.integers(0, 1))
    return graph.sized(mask, precision.float_type, PLACES, PLACES)


def _median_of_7(graph: GraphBuilder, x: str, length: int) -> str:
    """Replace each value by the median of itself and three neighbours on both sides, along the last axis.

    At the ends the values are mirrored, as transformers and openai/whisper do.
    """
    mirrored = graph.op("Pad", x, graph.integers(0, 0, 0, 3, 0, 0, 0, 3), mode="reflect")
    ends = ((graph.integers(offset), graph.integers(offset + length)) for offset in range(7))
    values = [graph.op("Slice", mirrored, start, end, graph.integers(3)) for start, end in ends]
    for layer in MEDIAN_OF_7:
        for low, high in layer:
            values[low], values[high] = (
                graph.op("Min", values[low], values[high]),
                graph.op("Max", values[low], values[high]),
            )
    return values[3]
