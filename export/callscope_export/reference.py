"""The checkpoint as transformers runs it: what the graphs are compared with. The extra `referee` installs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checkpoint import Checkpoint
from .whisper import TABLE, WhisperSettings, whisper_weights

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Forced:
    """What the checkpoint makes of given texts, each of shape (rows, T).

    Attributes:
        best: its best token at each place.
        logprobs: of the given tokens.
        gaps: between its best score and the next: none is a tie.
    """

    best: Array
    logprobs: Array
    gaps: Array


class Reference:
    """The checkpoint in transformers, float32 on the CPU.

    Args:
        folder: the checkpoint.
        settings: what was read of it.

    Attributes:
        settings: what was read of the checkpoint.
        model: transformers' own, a WhisperForConditionalGeneration.
        extractor: its WhisperFeatureExtractor.
    """

    def __init__(self, folder: Path, settings: WhisperSettings) -> None:
        import torch  # noqa: PLC0415  the extra `referee`
        import transformers  # noqa: PLC0415

        self._torch, self.settings = torch, settings
        self.extractor: Any = transformers.WhisperFeatureExtractor.from_pretrained(folder)
        model = transformers.WhisperForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
        self.model: Any = model.eval()
        self._load_table(folder)

    def _load_table(self, folder: Path) -> None:
        """Load the embedding where it was saved as that of the scores alone: transformers 4.57 leaves it empty then."""
        table, scores = self.model.model.decoder.embed_tokens, self.model.proj_out
        if table.weight.is_meta:
            array = whisper_weights(Checkpoint(folder, "", ""))[TABLE]
            table.weight = scores.weight = self._torch.nn.Parameter(self._torch.from_numpy(array))

    def transcribe(self, audio: NDArray[np.int16], language: int) -> Array:
        """Write what is said in windows, INT16 (rows, S), in the language of a token: tokens (rows, N)."""
        return self.written(self.states(self.mel(audio)), np.full((len(audio), 1), language))

    def mel(self, audio: NDArray[np.int16]) -> Array:
        """Compute the spectrogram, shape (rows, M, F), of windows of shape (rows, S)."""
        rate_hz = self.settings.mel.sample_rate_hz
        features = self.extractor(list(audio / 32768.0), sampling_rate=rate_hz, return_tensors="np")
        return np.asarray(features.input_features, np.float32)

    def states(self, mel: Array) -> Array:
        """Encode a spectrogram into states, shape (rows, C, D)."""
        with self._torch.no_grad():
            states = self.model.model.encoder(self._torch.from_numpy(mel)).last_hidden_state
        return np.asarray(states.numpy())

    def forced(self, states: Array, written: Mapping[str, Array]) -> Forced:
        """Feed the tokens that the graph wrote, and look at what is written after each.

        Args:
            states: Shape (rows, C, D).
            written: `tokens`, shape (rows, T), and `chosen_language`, shape (rows, 1).
        """
        torch, prompt = self._torch, self.settings.prompt
        tokens = written["tokens"].astype(np.int64)
        ids = np.concatenate([self._prompt(written["chosen_language"]), tokens[:, :-1]], axis=1)
        with torch.no_grad():
            hidden = self.model.model.decoder(torch.from_numpy(ids), encoder_hidden_states=torch.from_numpy(states))
            scores = self.model.proj_out(hidden.last_hidden_state)[:, prompt.length - 1 :]
            scores[:, :, list(prompt.suppress)] = -torch.inf
            scores[:, 0, list(prompt.begin_suppress)] = -torch.inf
            logprobs = scores.log_softmax(-1).gather(2, torch.from_numpy(tokens)[..., None])[..., 0]
            best, second = scores.topk(2).values.unbind(-1)
        return Forced(scores.argmax(-1).numpy(), logprobs.numpy(), (best - second).numpy())

    def written(self, states: Array, languages: Array) -> Array:
        """Write on greedily from the prompt, as far as the graph may: (rows, N), filled up with end-of-text."""
        torch, prompt, most = self._torch, self.settings.prompt, self.settings.max_tokens
        ids = torch.from_numpy(self._prompt(languages))
        tokens = np.full((len(states), most), prompt.end_of_text)
        past, ended = None, np.zeros(len(states), bool)
        for place in range(most):
            with torch.no_grad():
                out = self.model.model.decoder(
                    ids, encoder_hidden_states=torch.from_numpy(states), past_key_values=past, use_cache=True
                )
            past = out.past_key_values
            scores = self.model.proj_out(out.last_hidden_state[:, -1])
            scores[:, list(prompt.suppress) + (list(prompt.begin_suppress) if place == 0 else [])] = -torch.inf
            best = np.where(ended, prompt.end_of_text, scores.argmax(-1).numpy())
            tokens[:, place] = best
            ended |= best == prompt.end_of_text
            if ended.all():
                break
            ids = torch.from_numpy(best[:, None])
        return tokens

    def _prompt(self, languages: Array) -> Array:
        prompt = self.settings.prompt
        ids = [np.full((len(languages), 1), prompt.start)]
        ids += [languages.astype(np.int64)] if prompt.languages else []
        ids += [np.full((len(languages), 1), next(iter(prompt.tasks.values())))] if prompt.tasks else []
        ids.append(np.full((len(languages), 1), prompt.no_timestamps))
        return np.concatenate(ids, axis=1).astype(np.int64)
