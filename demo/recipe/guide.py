"""Guided attention (Tachibana, Uenoyama, Aihara 2018): the decoder is shown once that text runs along with time.

A small decoder that can guess from the domain's patterns is slow to find out that the sound tells more. While training
begins, half the heads of each cross-attention pay for looking far from the diagonal.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import WhisperForConditionalGeneration

WIDTH = 0.1  # of the diagonal, as a share of the utterance
PROMPT = 3  # places before the one that writes the first token


class Guide:
    """Watches the queries and keys of every cross-attention of the decoder."""

    def __init__(self, whisper: WhisperForConditionalGeneration) -> None:
        self.heads = whisper.config.decoder_attention_heads
        self.layers = [layer.encoder_attn for layer in whisper.model.decoder.layers]
        self.seen: dict[nn.Module, Tensor] = {}
        for attention in self.layers:
            for projection in (attention.q_proj, attention.k_proj):
                projection.register_forward_hook(lambda module, _, output: self.seen.__setitem__(module, output))

    def loss(self, lengths: Tensor, spoken: Tensor) -> Tensor:
        """Mean attention off the diagonal in the forward pass just made.

        Args:
            lengths: text tokens of each row, (rows,).
            spoken: first and last encoder position with speech, (rows, 2).
        """
        losses = [
            self._off_diagonal(self.seen[attention.q_proj], self.seen[attention.k_proj], lengths, spoken)
            for attention in self.layers
        ]
        return torch.stack(losses).mean()

    def _off_diagonal(self, queries: Tensor, keys: Tensor, lengths: Tensor, spoken: Tensor) -> Tensor:
        rows, places, width = queries.shape
        half = width // 2
        size = width // self.heads
        query = queries[..., :half].float().reshape(rows, places, -1, size).transpose(1, 2)
        key = keys[..., :half].float().reshape(rows, keys.shape[1], -1, size).transpose(1, 2)
        attention = (query @ key.transpose(2, 3) / size**0.5).softmax(-1).mean(1)
        written = (torch.arange(places) - PROMPT + 0.5) / lengths[:, None].clamp(min=1)
        start, end = spoken[:, :1], spoken[:, 1:]
        heard = (torch.arange(keys.shape[1]) - start) / (end - start).clamp(min=1)
        distance = written[:, :, None] - heard[:, None, :]
        cost = 1 - torch.exp(-(distance**2) / (2 * WIDTH**2))
        text = (written > 0) & (written < 1)
        return (attention * cost).sum(-1)[text].mean()
