"""The model `whisper_aligner` against plain numpy, and the heads it looks through."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from callscope_export import export_whisper
from callscope_export.checkpoint import open_checkpoint
from callscope_export.whisper import read_whisper

from ..referee.host_loop import HostWhisper
from .fixture_types import Checkpoints, OpenModel

LENGTHS = (0, 1, 7, 12)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("name", ["multilingual", "english_only"])
def test_pictures_equal_the_hosts(
    checkpoint: Checkpoints, open_model: OpenModel, rng: np.random.Generator, name: str, precision: str
) -> None:
    """Texts of different lengths in one batch, one of them empty and one that fills every place."""
    host, settings = HostWhisper(checkpoint(name)), read_whisper(open_checkpoint(checkpoint(name)))
    texts = [rng.integers(0, 250, length).tolist() for length in (*LENGTHS, settings.max_tokens)]
    tokens = np.full((len(texts), settings.max_tokens), settings.prompt.end_of_text, np.int32)
    for row, text in zip(tokens, texts, strict=True):
        row[: len(text)] = text
    languages = list(settings.prompt.languages.values()) or [-1]
    chosen = np.array([[languages[row % len(languages)]] for row in range(len(texts))], np.int32)
    states = rng.standard_normal((len(texts), settings.encoder_positions, settings.width)).astype(np.float32)
    inputs = {"states": states, "tokens": tokens, "chosen_language": chosen}
    (pictures,) = open_model(name, "whisper_aligner", precision).run(None, inputs)
    assert pictures.shape == (len(texts), settings.max_tokens, settings.encoder_positions)
    for row, text in enumerate(texts):
        given = text[: settings.max_tokens - 1]  # there is no place to write after the last one
        expected = host.picture(states[row].astype(np.float64), chosen[row, 0], given, list(settings.alignment_heads))
        found = pictures[row, : len(expected)]
        if precision == "fp32" and len(text) > 1:
            np.testing.assert_allclose(found, expected, atol=2e-3)
        elif len(text) > 1:
            assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.9
        assert (pictures[row, len(expected) :] == 0).all()


def heads_of(folder: Path) -> tuple[tuple[int, int], ...]:
    return read_whisper(open_checkpoint(folder)).alignment_heads


def with_heads(source: Path, folder: Path, heads: list[list[int]] | None) -> Path:
    shutil.copytree(source, folder)
    path = folder / "generation_config.json"
    generation = json.loads(path.read_text()) | {"alignment_heads": heads}
    path.write_text(json.dumps(generation))
    return folder


def test_the_checkpoints_own_heads_are_taken(checkpoint: Checkpoints, tmp_path: Path) -> None:
    assert heads_of(with_heads(checkpoint("multilingual"), tmp_path / "own", [[0, 1], [1, 0]])) == ((0, 1), (1, 0))


def test_without_any_all_of_the_last_half_of_the_layers_are(checkpoint: Checkpoints, tmp_path: Path) -> None:
    assert heads_of(with_heads(checkpoint("multilingual"), tmp_path / "none", None)) == ((1, 0), (1, 1))
    assert heads_of(checkpoint("english_only")) == ((1, 0), (1, 1), (1, 2))


def test_heads_that_the_decoder_does_not_have_are_those_of_another_model(
    checkpoint: Checkpoints, tmp_path: Path
) -> None:
    """A distilled model names the heads of its teacher, whose first layers are not its own."""
    notes: list[str] = []
    folder = with_heads(checkpoint("multilingual"), tmp_path / "distilled", [[0, 0], [7, 0]])
    assert read_whisper(open_checkpoint(folder), notes.append).alignment_heads == ((1, 0), (1, 1))
    (note,) = notes
    assert "[7, 0], and the decoder has 2 layers of 2 heads" in note


def test_many_heads_are_averaged_in_groups(
    checkpoint: Checkpoints, open_model: OpenModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callscope_export.aligner.TOGETHER", 2)
    export_whisper(checkpoint("english_only"), tmp_path, precision="fp32", parity="off")
    grouped = onnxruntime.InferenceSession(tmp_path / "whisper_aligner" / "1" / "model.onnx")
    rng = np.random.default_rng(8)
    states = rng.standard_normal((3, 50, 48)).astype(np.float32)
    tokens = rng.integers(0, 60, (3, 22)).astype(np.int32)
    inputs = {"states": states, "tokens": tokens, "chosen_language": np.full((3, 1), -1, np.int32)}
    (together,) = open_model("english_only", "whisper_aligner").run(None, inputs)
    assert np.abs(together).max() > 0.1
    np.testing.assert_allclose(grouped.run(None, inputs)[0], together, atol=1e-5)
