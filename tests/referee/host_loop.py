"""Whisper in plain numpy, float64, with the loop over tokens on the host: what the graphs are compared with.

It shares no code with the exporter and keeps no cache: every step runs the whole prefix again.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

Array = NDArray[np.float64]
ERF = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)


@dataclass(frozen=True)
class HostTranscript:
    tokens: list[int]
    logprobs: list[float]
    language: int
    language_probability: float
    no_speech_probability: float
    margin: float
    """The least distance between the best and the second-best score: a tie is nobody's fault."""


class HostWhisper:
    def __init__(self, folder: Path) -> None:
        self.config = json.loads((folder / "config.json").read_text())
        self.generation = json.loads((folder / "generation_config.json").read_text())
        self.added = {
            token["content"]: token["id"]
            for token in json.loads((folder / "tokenizer.json").read_text())["added_tokens"]
        }
        self.languages = list(self.generation.get("lang_to_id", {}).values())
        self.weights = {
            name: array.astype(np.float64) for name, array in load_file(folder / "model.safetensors").items()
        }

    def encode(self, mel: NDArray[Any]) -> Array:
        """(M, F) -> (C, D)."""
        x = self._gelu(self._conv("model.encoder.conv1", mel.astype(np.float64), 1))
        x = self._gelu(self._conv("model.encoder.conv2", x, 2)).T + self.weights["model.encoder.embed_positions.weight"]
        for index in range(self.config["encoder_layers"]):
            name = f"model.encoder.layers.{index}"
            y = self._norm(f"{name}.self_attn_layer_norm", x)
            x = x + self._attention(f"{name}.self_attn", y, y, causal=False)
            x = x + self._forward(name, x)
        return self._norm("model.encoder.layer_norm", x)

    def scores(self, states: Array, tokens: list[int]) -> Array:
        """(C, D) and T tokens -> (T, vocabulary)."""
        return self._decoder(states, tokens)[0] @ self.weights["model.decoder.embed_tokens.weight"].T

    def picture(self, states: Array, language: int, tokens: list[int], heads: list[tuple[int, int]]) -> Array:
        """Where each of T tokens, and the end of the text, is looked for: (T + 1, C)."""
        prompt = self.prompt(language)
        attentions = self._decoder(states, prompt + tokens)[1]
        looked = np.stack([attentions[layer][head][len(prompt) - 1 :] for layer, head in heads])
        looked = (looked - looked.mean(axis=1, keepdims=True)) / np.maximum(looked.std(axis=1, keepdims=True), 1e-6)
        mirrored = np.pad(looked, ((0, 0), (0, 0), (3, 3)), mode="reflect")
        return np.median(np.lib.stride_tricks.sliding_window_view(mirrored, 7, axis=2), axis=-1).mean(axis=0)

    def _decoder(self, states: Array, tokens: list[int]) -> tuple[Array, list[Array]]:
        """The last layer's output (T, D), and each layer's attention to the states (heads, T, C)."""
        table = self.weights["model.decoder.embed_tokens.weight"]
        attentions = []
        x = table[tokens] + self.weights["model.decoder.embed_positions.weight"][: len(tokens)]
        for index in range(self.config["decoder_layers"]):
            name = f"model.decoder.layers.{index}"
            y = self._norm(f"{name}.self_attn_layer_norm", x)
            x = x + self._attention(f"{name}.self_attn", y, y, causal=True)
            y = self._norm(f"{name}.encoder_attn_layer_norm", x)
            attentions.append(self._looked(f"{name}.encoder_attn", y, states, causal=False))
            x = x + self._attention(f"{name}.encoder_attn", y, states, causal=False)
            x = x + self._forward(name, x)
        return self._norm("model.decoder.layer_norm", x), attentions

    def prompt(self, language: int, task: str = "transcribe") -> list[int]:
        """The tokens before the text."""
        options = [language, self.generation["task_to_id"][task]] if self.languages else []
        return [self.generation["decoder_start_token_id"], *options, self.generation["no_timestamps_token_id"]]

    def allowed(self, scores: Array, *, first: bool) -> Array:
        """Scores without the tokens that generation_config.json suppresses."""
        scores = scores.copy()
        scores[..., self.generation.get("suppress_tokens") or []] = -np.inf
        scores[..., (self.generation.get("begin_suppress_tokens") or []) if first else []] = -np.inf
        return scores

    def transcribe(
        self, states: Array, *, language: int = -1, task: str = "transcribe", max_tokens: int = 224
    ) -> HostTranscript:
        """Decode greedily, a token at a time."""
        first = self.scores(states, [self.generation["decoder_start_token_id"]])[0]
        shares = softmax(first[self.languages])
        if self.languages and language == -1:
            language = self.languages[int(shares.argmax())]
        tokens, logprobs, margin = self._greedy(states, self.prompt(language, task), max_tokens)
        probability = float(shares[self.languages.index(language)]) if self.languages else 1.0
        no_speech = float(softmax(first)[self.added["<|nospeech|>"]])
        return HostTranscript(tokens, logprobs, language, probability, no_speech, margin)

    def _greedy(self, states: Array, prompt: list[int], max_tokens: int) -> tuple[list[int], list[float], float]:
        tokens: list[int] = []
        logprobs: list[float] = []
        margin, end = np.inf, self.generation["eos_token_id"]
        while len(tokens) < min(max_tokens, self.config["max_target_positions"] - len(prompt)):
            scores = self.allowed(self.scores(states, prompt + tokens)[-1], first=not tokens)
            best, second = np.sort(scores)[::-1][:2]
            margin = min(margin, best - second)
            tokens.append(int(scores.argmax()))
            logprobs.append(float(np.log(softmax(scores)[tokens[-1]])))
            if tokens[-1] == end:
                break
        return tokens, logprobs, float(margin)

    def _conv(self, name: str, x: Array, stride: int) -> Array:
        kernel, padded = self.weights[f"{name}.weight"], np.pad(x, ((0, 0), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, 3, axis=1)[:, ::stride]
        return np.einsum("oik,itk->ot", kernel, windows, optimize=True) + self.weights[f"{name}.bias"][:, None]

    def _linear(self, name: str, x: Array) -> Array:
        return x @ self.weights[f"{name}.weight"].T + self.weights.get(f"{name}.bias", 0.0)

    def _norm(self, name: str, x: Array) -> Array:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
        return scaled * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def _forward(self, name: str, x: Array) -> Array:
        hidden = self._gelu(self._linear(f"{name}.fc1", self._norm(f"{name}.final_layer_norm", x)))
        return self._linear(f"{name}.fc2", hidden)

    def _attention(self, name: str, x: Array, source: Array, *, causal: bool) -> Array:
        mixed = self._looked(name, x, source, causal=causal) @ self._by_head(f"{name}.v_proj", source)
        return self._linear(f"{name}.out_proj", mixed.transpose(1, 0, 2).reshape(len(x), -1))

    def _looked(self, name: str, x: Array, source: Array, *, causal: bool) -> Array:
        q, k = self._by_head(f"{name}.q_proj", x), self._by_head(f"{name}.k_proj", source)
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
        return softmax(scores + np.triu(np.full(scores.shape[1:], -np.inf), k=1) if causal else scores)

    def _by_head(self, name: str, x: Array) -> Array:
        return self._linear(name, x).reshape(len(x), self.config["decoder_attention_heads"], -1).transpose(1, 0, 2)

    @staticmethod
    def _gelu(x: Array) -> Array:
        return 0.5 * x * (1 + erf(x / math.sqrt(2)))


def erf(x: Array) -> Array:
    """Abramowitz and Stegun, 7.1.26: at most 1.5e-7 off."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    return np.sign(x) * (1 - sum(a * t**k for k, a in enumerate(ERF, 1)) * np.exp(-(x**2)))


def softmax(x: Array) -> Array:
    """Over the last axis; empty stays empty."""
    powers = np.exp(x - x.max(-1, keepdims=True, initial=-np.inf))
    return powers / powers.sum(-1, keepdims=True)
