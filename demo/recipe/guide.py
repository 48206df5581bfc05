"""Supervised attention: the decoder is shown where in the sound each token is.

A small decoder that can guess from the domain's patterns is slow to find out that the sound tells more. The encoder's
CTC head knows when each letter sounds (its best path, Graves et al. 2006), the letters know their tokens, and so
half the heads of the cross-attentions are taught: in the first layer to look at the token just written, in the others
at the token to write, at all of it or at single letters of it: their order is lost in an average over the token.

The encoder is shown its neighbourhood: left alone, its attention spreads over the whole window and every state stays
with the 65 ms that the convolutions gave it, enough for a formant synthesizer's steady vowels, too little for a voice
made of recordings.
"""

from __future__ import annotations

import numpy as np
import torch
from demo.recipe import sounds
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import WhisperForConditionalGeneration

PROMPT = 3  # places before the one that writes the first token
AROUND = 1  # states on both sides that still count as looking there
LONGEST_LETTER = 5  # states
KINDS = ("whole", "first", "second", "third", "last")
JUST_WRITTEN = (("whole", "last"),)  # what the taught heads of the first layers look at
TO_WRITE = (("whole", "first"), ("second", "last"), ("third", "whole"))  # and those of the next
NEIGHBOURS = ((-2, 2, -5, 5), (-3, 3), (-5, 5), ())  # states from its own that an encoder layer's taught heads look at

Spans = NDArray[np.int64]  # (tokens + 2, kinds, 2): first state and the one after the last; silence, tokens, silence


def best_path(log_probabilities: NDArray[np.float32], rows: list[tuple[int, ...]]) -> list[NDArray[np.int64]]:
    """The state at which each letter starts on the most probable CTC path.

    Args:
        log_probabilities: of letters and blank, (rows, states, letters + 1).
        rows: each row's letters; a row must have fewer of them than states.

    Returns:
        For each row (letters + 1,): the last entry is the state after the last letter.
    """
    count, states, _ = log_probabilities.shape
    width = 2 * max(map(len, rows), default=0) + 1
    path = np.full((count, width), sounds.BLANK)
    for row, letters in zip(path, rows, strict=True):
        row[1 : 2 * len(letters) : 2] = letters
    emitted = np.take_along_axis(log_probabilities, path[:, None, :], axis=2)
    jump = np.where((path != sounds.BLANK) & (path != np.roll(path, 2, axis=1)), 0.0, -np.inf)
    jump[:, :2] = -np.inf
    score = np.full((count, width + 2), -np.inf)
    score[:, 2:4] = emitted[:, 0, :2]
    steps = np.zeros((states, count, width), dtype=np.int8)
    for state in range(1, states):
        options = np.stack((score[:, 2:], score[:, 1:-1], score[:, :-2] + jump))
        steps[state] = options.argmax(axis=0)
        score[:, 2:] = options.max(axis=0) + emitted[:, state]
    return [_starts(steps[:, row], score[row, 2:], len(letters)) for row, letters in enumerate(rows)]


def _starts(steps: NDArray[np.int8], score: NDArray[np.float64], letters: int) -> NDArray[np.int64]:
    place = 2 * letters if not letters or score[2 * letters] >= score[2 * letters - 1] else 2 * letters - 1
    starts = np.zeros(letters + 1, dtype=np.int64)
    starts[letters] = len(steps)
    for state in range(len(steps) - 1, -1, -1):
        if place % 2:
            starts[place // 2] = state
        elif place == 2 * letters:
            starts[letters] = state
        place -= int(steps[state, place])
    return starts


def spans(starts: NDArray[np.int64], tokens: list[tuple[float, float]], states: int) -> Spans:
    """Where each token and its letters sound, from the places of its letters; silence before and after included."""
    letters = np.arange(len(starts))
    found = [[(0, int(starts[0])), *[(int(starts[0]) - LONGEST_LETTER, int(starts[0]))] * 4]]
    for first, last in tokens:
        whole = np.interp(first, letters, starts), np.interp(last, letters, starts)
        begin, end = round(first), int(np.ceil(last))
        single = [_letter(starts, letter) for letter in (begin, begin + 1, begin + 2, max(begin, end - 1))]
        found.append([(int(whole[0]), int(np.ceil(whole[1]))), *single])
    found.append([(int(starts[-1]), states), *[_letter(starts, len(starts))] * 4])
    every = np.array(found)
    every[..., 0] = every[..., 0].clip(0, states - 1)
    every[..., 1] = every[..., 1].clip(every[..., 0] + 1, states)
    return every


def _letter(starts: NDArray[np.int64], letter: int) -> tuple[int, int]:
    letter = min(letter, len(starts) - 1)
    end = starts[letter] + LONGEST_LETTER
    return int(starts[letter]), int(end if letter == len(starts) - 1 else min(end, starts[letter + 1]))


class Guide:
    """Watches the queries and keys of the encoder's attentions and of the decoder's cross-attentions."""

    def __init__(self, whisper: WhisperForConditionalGeneration) -> None:
        self.size = whisper.config.d_model // whisper.config.decoder_attention_heads
        self.encoder = [layer.self_attn for layer in whisper.model.encoder.layers]
        self.layers = [layer.encoder_attn for layer in whisper.model.decoder.layers]
        self.seen: dict[nn.Module, Tensor] = {}
        for attention in (*self.encoder, *self.layers):
            for projection in (attention.q_proj, attention.k_proj):
                projection.register_forward_hook(lambda module, _, output: self.seen.__setitem__(module, output))

    def neighbour_loss(self) -> Tensor:
        """How unlikely the encoder's forward pass just made looks at the right neighbours, as `loss`."""
        losses = []
        for attention, offsets in zip(self.encoder, NEIGHBOURS, strict=True):
            looked = self._attention(attention, len(offsets))
            place = torch.arange(looked.shape[-1])
            for head, offset in enumerate(offsets):
                where = (place - place[:, None] - offset).abs() <= AROUND
                losses.append(_surprise(looked[:, head], where.expand(len(looked), -1, -1)))
        return torch.stack(losses).mean()

    def loss(self, rows: list[Spans]) -> Tensor:
        """How unlikely the forward pass just made looks at the right sound: mean negative log of the attention there.

        Args:
            rows: the spans of each row's tokens.
        """
        losses = []
        for layer, (attention, kinds) in enumerate(zip(self.layers, (*JUST_WRITTEN, *TO_WRITE), strict=True)):
            tokens = slice(None, -1) if layer < len(JUST_WRITTEN) else slice(1, None)
            looked = self._attention(attention, len(kinds))
            for head, kind in enumerate(kinds):
                where = _mask([row[tokens, KINDS.index(kind)] for row in rows], *looked.shape[2:])
                losses.append(_surprise(looked[:, head], where))
        return torch.stack(losses).mean()

    def _attention(self, attention: nn.Module, heads: int) -> Tensor:
        """What the first heads looked at: (rows, heads, places, states)."""
        query, key = (
            self.seen[projection][..., : heads * self.size].float().unflatten(2, (heads, self.size)).transpose(1, 2)
            for projection in (attention.q_proj, attention.k_proj)
        )
        return (query @ key.transpose(2, 3) / self.size**0.5).softmax(-1)


def _surprise(looked: Tensor, where: Tensor) -> Tensor:
    right = (looked * where).sum(-1)[where.any(-1)]
    return -right.clamp(min=1e-6).log().mean()


def _mask(rows: list[Spans], places: int, states: int) -> Tensor:
    state = torch.arange(states)
    bounds = torch.zeros(len(rows), places, 2, dtype=torch.long)
    for row, token_spans in zip(bounds, rows, strict=True):
        row[PROMPT : PROMPT + len(token_spans)] = torch.from_numpy(token_spans)
    first, last = bounds[..., :1], bounds[..., 1:]
    return (state >= first - AROUND) & (state < last + AROUND) & (last > 0)
