"""The demo recogniser on the sound of the demo calls, against plain numpy with the loop on the host."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from callscope.score import edit_distance
from callscope_export import export_whisper
from callscope_preprocessing.chunk import Chunk

from ..referee.host_loop import HostWhisper
from ..repository_files import parameters, read_config
from .asking import Tensors, options

CHECKPOINT = Path(__file__).parents[2] / "demo" / "checkpoints" / "recogniser"
TIE = 2e-3
"""Where two scores are closer than this, FP32 and float64 may each call another the best; such places are few."""
MOST_TIES = 2
SERVED_AGREEMENT = 0.95
"""Of the tokens, the least share that 8-bit weights must leave as they are."""


@pytest.fixture(scope="module")
def exact(utterances: tuple[Chunk, ...], tmp_path_factory: pytest.TempPathFactory) -> Tensors:
    """What the graphs of the checkpoint give in FP32, without a server: `states`, `mel` and the decoder's outputs."""
    folder = tmp_path_factory.mktemp("fp32")
    export_whisper(CHECKPOINT, folder, precision="fp32")
    told = parameters(read_config(folder, "transcribe"))
    limit, samples = int(told["max_tokens"]), int(told["window_samples"])
    log_mel, encoder, decoder = (
        onnxruntime.InferenceSession(folder / name / "1" / "model.onnx")
        for name in ("log_mel", "whisper_encoder", "whisper_decoder")
    )
    (mel,) = log_mel.run(None, {"audio": np.stack([chunk.window(samples) for chunk in utterances])})
    (states,) = encoder.run(None, {"mel": mel})
    each = {name: np.repeat(value, len(utterances), axis=0) for name, value in options(limit).items()}
    names = [output.name for output in decoder.get_outputs()]
    return {
        "mel": mel,
        "states": states,
        **dict(zip(names, decoder.run(None, {"states": states, **each}), strict=True)),
    }


def text_of(tokens: np.ndarray, end: int) -> list[int]:
    return [token for token in tokens.tolist() if token != end]


def shortfalls(host: HostWhisper, states: np.ndarray, language: int, text: list[int], limit: int) -> np.ndarray:
    """How far each token of a text, and its end, scores below the best token for that place.

    A greedy loop gives a text exactly if, after each of its prefixes, the best token is the next one: one pass over the
    text shows them all.
    """
    prompt, end = host.prompt(language), host.generation["eos_token_id"]
    scores = host.scores(states, prompt + text)[len(prompt) - 1 :]
    scores = np.concatenate([host.allowed(scores[:1], first=True), host.allowed(scores[1:], first=False)])
    expected = [*text, end][:limit]
    return scores.max(axis=-1)[: len(expected)] - scores[np.arange(len(expected)), expected]


def test_tokens_of_fifty_utterances_equal_the_host_loops(exact: Tensors) -> None:
    host = HostWhisper(CHECKPOINT)
    end, limit = host.generation["eos_token_id"], exact["tokens"].shape[1]
    worst = []
    for row, language in enumerate(exact["chosen_language"][:, 0].tolist()):
        states = host.encode(exact["mel"][row])
        np.testing.assert_allclose(exact["states"][row], states, atol=2e-3)
        worst.append(shortfalls(host, states, language, text_of(exact["tokens"][row], end), limit).max())
    assert len(worst) == 50
    assert max(worst) < TIE
    assert sum(gap == 0 for gap in worst) >= 50 - MOST_TIES


def test_eight_bit_weights_leave_nearly_all_tokens_as_they_are(exact: Tensors, alone: list[Tensors]) -> None:
    end = HostWhisper(CHECKPOINT).generation["eos_token_id"]
    pairs = [
        (text_of(row, end), text_of(answer["tokens"][0], end))
        for row, answer in zip(exact["tokens"], alone, strict=True)
    ]
    errors = sum(edit_distance(list(map(str, one)), list(map(str, other))) for one, other in pairs)
    agreement = 1 - errors / sum(len(one) for one, _ in pairs)
    assert agreement >= SERVED_AGREEMENT, f"{agreement:.1%} of the tokens agree"
