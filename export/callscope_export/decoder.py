"""Whisper's decoder as a graph, with the loop over tokens inside: the model `whisper_decoder`.

    [start] -> language and no-speech probabilities -> [language, task, notimestamps] -> first token -> Loop -> tokens

Weights, and the keys and values of the cross-attention, are made once in the outermost graph; the loop's body sees them
there. Rows of a batch go in step but never see each other: each has its own language, limit, temperature and end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from .attention import Cache
from .contract import Signature, Tensor
from .decoder_layers import Decoder, load_decoder
from .graph import Graph, GraphBuilder, finish
from .layers import Loader
from .picking import Picker
from .precision import Precision
from .prompt import Choice, choose_language, choose_task
from .whisper import WhisperSettings

INT32 = onnx.TensorProto.INT32


def decoder_graph(
    weights: Mapping[str, NDArray[Any]], settings: WhisperSettings, precision: Precision, signature: Signature
) -> Graph:
    """Build the graph of the contract's `whisper_decoder`: a whole transcript for each row of encoder states."""
    graph = GraphBuilder("whisper_decoder")
    states, language, task, max_tokens, temperature = (graph.input(t, batched=True) for t in signature.inputs)
    decoder = load_decoder(Loader(graph, weights, precision).at("decoder"), settings, states)
    writer = _Writer(graph, decoder, settings, precision, rows=graph.op("Shape", states, start=0, end=1))
    scores, caches = writer.start()
    choice = choose_language(graph, settings.prompt, scores, language)
    no_speech = graph.op("Gather", graph.op("Softmax", scores), graph.integers(settings.prompt.no_speech), axis=1)
    scores, caches = writer.read_prompt(choice, task, caches)
    tokens, logprobs = writer.loop(Picker.prepare(graph, settings, temperature, max_tokens), scores, caches)
    values = {
        "tokens": graph.op("Cast", writer.padded(tokens, np.int64(settings.prompt.end_of_text)), to=INT32),
        "logprobs": writer.padded(logprobs, np.float32(0)),
        "chosen_language": graph.op("Cast", choice.token, to=INT32),
        "language_probability": choice.probability,
        "no_speech_probability": no_speech,
    }
    return finish(graph, signature, values)


@dataclass(frozen=True, slots=True)
class _Writer:
    """What the stages of the graph share."""

    graph: GraphBuilder
    decoder: Decoder
    settings: WhisperSettings
    precision: Precision
    rows: str

    def start(self) -> tuple[str, list[Cache]]:
        """Run the prompt's first token alone."""
        return self.decoder(self.graph, self._repeat(self.settings.prompt.start), self._positions(0, 1))

    def read_prompt(self, choice: Choice, task: str, caches: list[Cache]) -> tuple[str, list[Cache]]:
        """Run the rest of the prompt; the last scores are those of the first token of the text."""
        graph, prompt = self.graph, self.settings.prompt
        ids = [choice.token] if prompt.languages else []
        ids += [choose_task(graph, prompt, task)] if prompt.tasks else []
        ids.append(self._repeat(prompt.no_timestamps))
        unseen = np.triu(np.full((len(ids), prompt.length), -np.inf, self.precision.dtype), k=2)
        positions = self._positions(1, prompt.length)
        return self.decoder(graph, graph.op("Concat", *ids, axis=1), positions, caches, graph.constant(unseen))

    def loop(self, picker: Picker, scores: str, caches: list[Cache]) -> tuple[str, str]:
        """Pick the first token, then loop; return tokens, INT64, and log-probabilities, each of shape (batch, T)."""
        graph = self.graph
        first = picker.pick(graph, scores, graph.constant(np.int64(1)), done=None)
        carried = [first.token, first.done, first.token, first.logprob, *_flat(caches)]
        most = graph.constant(np.int64(self.settings.max_tokens - 1))
        go_on = picker.any_left(graph, first.done)
        ended = graph.ops("Loop", most, go_on, *carried, outputs=len(carried), body=self._step(picker))
        return ended[2], ended[3]

    def padded(self, values: str, filler: np.generic) -> str:
        """Fill (batch, T) up to (batch, N)."""
        graph = self.graph
        missing = graph.op("Sub", graph.integers(self.settings.max_tokens), graph.op("Shape", values, start=1, end=2))
        amounts = graph.op("Concat", graph.integers(0, 0, 0), missing, axis=0)
        return graph.op("Pad", values, amounts, graph.constant(filler))

    def _step(self, picker: Picker) -> onnx.GraphProto:
        """Write the loop's body: run the token picked last, pick the next."""
        body = self.graph.body("step")
        iteration = body.input(Tensor("iteration", "INT64", ()))
        body.input(Tensor("go_on", "BOOL", ()))
        carried = self._carried()
        token, done, tokens, logprobs, *flat = (body.input(tensor, batched=True) for tensor in carried)
        place = body.op("Add", iteration, body.constant(np.int64(self.settings.prompt.length)))
        position = body.op("Gather", self.decoder.positions, place)
        scores, caches = self.decoder(body, token, position, _caches(flat))
        pick = picker.pick(body, scores, body.op("Add", iteration, body.constant(np.int64(2))), done)
        tokens = body.op("Concat", tokens, pick.token, axis=1)
        logprobs = body.op("Concat", logprobs, pick.logprob, axis=1)
        body.output(Tensor("next_go_on", "BOOL", ()), picker.any_left(body, pick.done))
        for tensor, value in zip(carried, [pick.token, pick.done, tokens, logprobs, *_flat(caches)], strict=True):
            body.output(Tensor(f"next_{tensor.name}", tensor.dtype, tensor.dims), value, batched=True)
        return body.graph()

    def _carried(self) -> list[Tensor]:
        """List what one step hands to the next."""
        heads = self.settings.decoder_heads
        size = self.settings.width // heads
        carried = [Tensor("token", "INT64", (1,)), Tensor("done", "BOOL", (1,))]
        carried += [Tensor("tokens_so_far", "INT64", (-1,)), Tensor("logprobs_so_far", "FP32", (-1,))]
        for index in range(self.settings.decoder_layers):
            carried.append(Tensor(f"keys_{index}", self.precision.float_type, (heads, size, -1)))
            carried.append(Tensor(f"values_{index}", self.precision.float_type, (heads, -1, size)))
        return carried

    def _repeat(self, token: int) -> str:
        shape = self.graph.op("Concat", self.rows, self.graph.integers(1), axis=0)
        repeated = self.graph.op("Expand", self.graph.constant(np.array([[token]], np.int64)), shape)
        return self.graph.sized(repeated, "INT64", "batch", 1)

    def _positions(self, start: int, end: int) -> str:
        graph = self.graph
        first, last, axis = graph.integers(start), graph.integers(end), graph.integers(0)
        return graph.op("Slice", self.decoder.positions, first, last, axis)


def _flat(caches: list[Cache]) -> list[str]:
    return [name for cache in caches for name in (cache.keys, cache.values)]


def _caches(flat: list[str]) -> list[Cache]:
    return [Cache(keys, values) for keys, values in zip(flat[::2], flat[1::2], strict=True)]
