"""The layers of Whisper's decoder, between token ids and the scores of the next token."""

from dataclasses import dataclass

import numpy as np

from .attention import Attended, Cache, attend, gather, look, split_queries
from .graph import GraphBuilder
from .layers import FeedForward, Loader, Norm, SelfAttention, whisper_self_attention
from .precision import Linear, Table
from .whisper import WhisperSettings


@dataclass(frozen=True, slots=True)
class DecoderLayer:
    """One layer: self-attention, cross-attention to the states, feed-forward."""

    self_norm: Norm
    self_attention: SelfAttention
    cross_norm: Norm
    cross_queries: Linear
    memory: Attended
    cross_out: Linear
    final_norm: Norm
    forward: FeedForward

    def __call__(self, graph: GraphBuilder, x: str, past: Cache | None, mask: str | None) -> tuple[str, Cache, str]:
        """Run over new positions.

        Args:
            graph: Where the operators go.
            x: Shape (batch, T, width).
            past: The keys and values of the positions before.
            mask: Shape (T, positions before + T), for T over 1.

        Returns:
            The same shape as x; the cache with the new positions; and where they looked in the states, shape
            (batch, heads, T, C).
        """
        heads = self.self_attention.heads
        queries, cache = self.self_attention.project(graph, self.self_norm(graph, x))
        cache = past.extended(graph, cache) if past else cache
        x = graph.op("Add", x, self.self_attention.out(graph, attend(graph, queries, cache, mask)))
        queries = split_queries(graph, self.cross_queries(graph, self.cross_norm(graph, x)), heads)
        looked = look(graph, queries, self.memory)
        x = graph.op("Add", x, self.cross_out(graph, gather(graph, looked, self.memory)))
        return graph.op("Add", x, self.forward(graph, self.final_norm(graph, x))), cache, looked


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
            x, cache, _ = layer(graph, x, past[index] if past else None, mask)
            caches.append(cache)
        last = graph.op("Gather", x, graph.constant(np.int64(-1)), axis=1)
        return self.table.scores(graph, self.norm(graph, last)), caches

    def looked(self, graph: GraphBuilder, ids: str, positions: str, mask: str) -> list[str]:
        """Run over whole texts and tell where each token's position looked in the states.

        Args:
            graph: Where the operators go.
            ids: INT64 of shape (batch, T).
            positions: Their position embeddings, shape (T, width).
            mask: Shape (T, T).

        Returns:
            For each layer, shape (batch, heads, T, C).
        """
        x = graph.op("Add", self.table.rows(graph, ids), positions)
        attentions = []
        for layer in self.layers:
            x, _, attention = layer(graph, x, None, mask)
            attentions.append(attention)
        return attentions


def load_decoder(loader: Loader, settings: WhisperSettings, states: str, layers: int | None = None) -> Decoder:
    """Load the decoder, and make the keys and values of its cross-attention to the states, shape (batch, C, width).

    Args:
        loader: Where the weights are.
        settings: The checkpoint's sizes.
        states: What the encoder gave.
        layers: How many of the first layers to load; all where None.
    """
    loaded = [
        _load_layer(loader.at(f"layers.{index}"), settings.decoder_heads, states)
        for index in range(settings.decoder_layers if layers is None else layers)
    ]
    table = loader.precision.table(loader.graph, loader.array("embed_tokens.weight"))
    return Decoder(table, loader.constant("embed_positions.weight"), tuple(loaded), loader.norm("layer_norm"))


def _load_layer(loader: Loader, heads: int, states: str) -> DecoderLayer:
    cross, size = loader.at("encoder_attn"), loader.array("encoder_attn.q_proj.weight").shape[0] // heads
    keys, values = cross.projections("k_proj", "v_proj")(loader.graph, states)
    return DecoderLayer(
        self_norm=loader.norm("self_attn_layer_norm"),
        self_attention=whisper_self_attention(loader.at("self_attn"), heads),
        cross_norm=loader.norm("encoder_attn_layer_norm"),
        cross_queries=cross.linear("q_proj", size**-0.5),
        memory=loader.precision.memory(loader.graph, keys, values, heads),
        cross_out=cross.linear("out_proj"),
        final_norm=loader.norm("final_layer_norm"),
        forward=FeedForward(loader.linear("fc1"), loader.linear("fc2")),
    )
