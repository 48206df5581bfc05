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

from .contract import Signature, Tensor
from .graph import GraphBuilder, finish
from .layers import (
    Cache,
    FeedForward,
    Loader,
    Norm,
    SelfAttention,
    attend,
    split_cache,
    split_queries,
    whisper_self_attention,
)
from .picking import Picker
from .precision import Linear, Precision, Table, cast_float
from .prompt import Choice, choose_language, choose_task
from .whisper import WhisperSettings


@dataclass(frozen=True, slots=True)
class DecoderLayer:
    """One layer: self-attention, cross-attention to the states, feed-forward."""

    self_norm: Norm
    self_attention: SelfAttention
    cross_norm: Norm
    cross_queries: Linear
    cross_cache: Cache
    cross_out: Linear
    final_norm: Norm
    forward: FeedForward

    def __call__(self, graph: GraphBuilder, x: str, past: Cache | None, mask: str | None) -> tuple[str, Cache]:
        """Map x, shape (batch, T, width), to the same shape, and extend the cache by its positions."""
        heads = self.self_attention.heads
        queries, cache = self.self_attention.project(graph, self.self_norm(graph, x))
        cache = past.extended(graph, cache) if past else cache
        x = graph.op("Add", x, self.self_attention.out(graph, attend(graph, queries, cache, mask)))
        queries = split_queries(graph, self.cross_queries(graph, self.cross_norm(graph, x)), heads)
        x = graph.op("Add", x, self.cross_out(graph, attend(graph, queries, self.cross_cache)))
        return graph.op("Add", x, self.forward(graph, self.final_norm(graph, x))), cache


@dataclass(frozen=True, slots=True)
class Decoder:
    """The layers between token ids and the scores of the next token."""

    table: Table
    positions: str
    layers: tuple[DecoderLayer, ...]
    norm: Norm

    def __call__(
        self, graph: GraphBuilder, ids: str, positions: str, past: list[Cache] | None = None, mask: str | None = None
    ) -> tuple[str, list[Cache]]:
        """Run over new tokens.

        Args:
            graph: Where the operators go.
            ids: INT64 of shape (batch, T).
            positions: Their position embeddings, shape (T, width).
            past: The caches of the tokens before, one a layer.
            mask: Shape (T, tokens before + T), for T over 1.

        Returns:
            Scores of the token after the last, FP32 of shape (batch, vocabulary), and the caches.
        """
        x = graph.op("Add", self.table.rows(graph, ids), positions)
        caches = []
        for index, layer in enumerate(self.layers):
            x, cache = layer(graph, x, past[index] if past else None, mask)
            caches.append(cache)
        last = graph.op("Gather", x, graph.constant(np.int64(-1)), axis=1)
        return self.table.scores(graph, self.norm(graph, last)), caches


def decoder_graph(
    weights: Mapping[str, NDArray[Any]], settings: WhisperSettings, precision: Precision, signature: Signature
) -> onnx.ModelProto:
    """Build the graph of the contract's `whisper_decoder`: a whole transcript for each row of encoder states."""
    graph = GraphBuilder("whisper_decoder")
    states, language, task, max_tokens, temperature = (graph.input(t, batched=True) for t in signature.inputs)
    decoder = _load(Loader(graph, weights, precision).at("decoder"), settings, states)
    rows = graph.op("Shape", states, start=0, end=1)
    scores, caches = decoder(graph, _repeat(graph, settings.prompt.start, rows), _positions(decoder, graph, 0, 1))
    choice = choose_language(graph, settings.prompt, scores, language)
    scores, caches = _run_prompt(graph, decoder, settings, choice, task, rows, caches, precision)
    picker = Picker.prepare(graph, settings, temperature, max_tokens)
    tokens, logprobs = _run_loop(graph, decoder, settings, picker, scores, caches, precision)
    no_speech = graph.op("Gather", graph.op("Softmax", choice.scores), graph.integers(settings.prompt.no_speech), axis=1)
    values = {
        "tokens": _padded(graph, tokens, settings, np.int64(settings.prompt.end_of_text)),
        "logprobs": _padded(graph, logprobs, settings, np.float32(0)),
        "chosen_language": choice.token,
        "language_probability": choice.probability,
        "no_speech_probability": no_speech,
    }
    for name in ("tokens", "chosen_language"):
        values[name] = graph.op("Cast", values[name], to=onnx.TensorProto.INT32)
    return finish(graph, signature, values)


def _load(loader: Loader, settings: WhisperSettings, states: str) -> Decoder:
    layers = [
        _load_layer(loader.at(f"layers.{index}"), settings.decoder_heads, states)
        for index in range(settings.decoder_layers)
    ]
    table = loader.precision.table(loader.graph, loader.array("embed_tokens.weight"))
    return Decoder(table, loader.constant("embed_positions.weight"), tuple(layers), loader.norm("layer_norm"))


def _load_layer(loader: Loader, heads: int, states: str) -> DecoderLayer:
    cross, size = loader.at("encoder_attn"), loader.array("encoder_attn.q_proj.weight").shape[0] // heads
    keys_values = cross.linear("k_proj", "v_proj")(loader.graph, states)
    keys, values = loader.graph.ops("Split", keys_values, outputs=2, axis=-1, num_outputs=2)
    return DecoderLayer(
        self_norm=loader.norm("self_attn_layer_norm"),
        self_attention=whisper_self_attention(loader.at("self_attn"), heads),
        cross_norm=loader.norm("encoder_attn_layer_norm"),
        cross_queries=cross.linear("q_proj", scales=(size**-0.5,)),
        cross_cache=split_cache(loader.graph, keys, values, heads),
        cross_out=cross.linear("out_proj"),
        final_norm=loader.norm("final_layer_norm"),
        forward=FeedForward(loader.linear("fc1"), loader.linear("fc2")),
    )


def _run_prompt(
    graph: GraphBuilder,
    decoder: Decoder,
    settings: WhisperSettings,
    choice: Choice,
    task: str,
    rows: str,
    caches: list[Cache],
    precision: Precision,
) -> tuple[str, list[Cache]]:
    prompt = settings.prompt
    ids = [_repeat(graph, prompt.no_timestamps, rows)]
    if prompt.tasks:
        ids.insert(0, choose_task(graph, prompt, task))
    if prompt.languages:
        ids.insert(0, choice.token)
    later = np.triu(np.full((len(ids), prompt.length), -np.inf, precision.dtype), k=2)
    positions = _positions(decoder, graph, 1, prompt.length)
    return decoder(graph, graph.op("Concat", *ids, axis=1), positions, caches, graph.constant(later))


def _run_loop(
    graph: GraphBuilder,
    decoder: Decoder,
    settings: WhisperSettings,
    picker: Picker,
    scores: str,
    caches: list[Cache],
    precision: Precision,
) -> tuple[str, str]:
    """Pick the first token from the scores, then loop; return tokens INT64 and log-probabilities, shape (batch, T)."""
    first = picker.pick(graph, scores, picker.first_mask, graph.constant(np.int64(1)), None)
    start = [first.token, first.done, first.token, first.logprob, *_flat(caches)]
    body = _loop_body(graph, decoder, settings, picker, precision)
    most = graph.constant(np.int64(settings.max_tokens - 1))
    ended = graph.ops("Loop", most, picker.any_left(graph, first.done), *start, outputs=len(start), body=body)
    return ended[2], ended[3]


def _loop_body(
    graph: GraphBuilder, decoder: Decoder, settings: WhisperSettings, picker: Picker, precision: Precision
) -> onnx.GraphProto:
    body = graph.body("step")
    iteration = body.input(Tensor("iteration", "INT64", ()))
    body.input(Tensor("go_on", "BOOL", ()))
    carried = _carried(settings, precision)
    token, done, tokens, logprobs, *flat = (body.input(tensor, batched=True) for tensor in carried)
    place = body.op("Add", iteration, body.constant(np.int64(settings.prompt.length)))
    position = body.op("Gather", decoder.positions, place)
    scores, caches = decoder(body, token, position, _caches(flat))
    count = body.op("Add", iteration, body.constant(np.int64(2)))
    pick = picker.pick(body, scores, picker.mask, count, done)
    tokens = body.op("Concat", tokens, pick.token, axis=1)
    logprobs = body.op("Concat", logprobs, pick.logprob, axis=1)
    body.output(Tensor("next_go_on", "BOOL", ()), picker.any_left(body, pick.done))
    for tensor, value in zip(carried, [pick.token, pick.done, tokens, logprobs, *_flat(caches)], strict=True):
        body.output(Tensor(f"next_{tensor.name}", tensor.dtype, tensor.dims), value, batched=True)
    return body.graph()


def _carried(settings: WhisperSettings, precision: Precision) -> list[Tensor]:
    """List what one step hands to the next."""
    heads, size = settings.decoder_heads, settings.width // settings.decoder_heads
    state = [
        Tensor("token", "INT64", (1,)),
        Tensor("done", "BOOL", (1,)),
        Tensor("tokens_so_far", "INT64", (-1,)),
        Tensor("logprobs_so_far", "FP32", (-1,)),
    ]
    for index in range(settings.decoder_layers):
        state.append(Tensor(f"keys_{index}", precision.float_type, (heads, size, -1)))
        state.append(Tensor(f"values_{index}", precision.float_type, (heads, -1, size)))
    return state


def _flat(caches: list[Cache]) -> list[str]:
    return [name for cache in caches for name in (cache.keys, cache.values)]


def _caches(flat: list[str]) -> list[Cache]:
    return [Cache(keys, values) for keys, values in zip(flat[::2], flat[1::2], strict=True)]


def _repeat(graph: GraphBuilder, token: int, rows: str) -> str:
    shape = graph.op("Concat", rows, graph.integers(1), axis=0)
    return graph.op("Expand", graph.constant(np.array([[token]], np.int64)), shape)


def _positions(decoder: Decoder, graph: GraphBuilder, start: int, end: int) -> str:
    return graph.op("Slice", decoder.positions, graph.integers(start), graph.integers(end), graph.integers(0))


def _padded(graph: GraphBuilder, values: str, settings: WhisperSettings, filler: np.generic) -> str:
    """Fill (batch, T) up to (batch, N)."""
    length = graph.op("Shape", values, start=1, end=2)
    missing = graph.op("Sub", graph.integers(settings.max_tokens), length)
    amounts = graph.op("Concat", graph.integers(0, 0, 0), missing, axis=0)
    return graph.op("Pad", values, amounts, graph.constant(np.asarray(filler)))
