"""Checkpoints as they are found: saved otherwise, older, fine-tuned, distilled."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer

from callscope_export import export_whisper
from callscope_export.checkpoint import open_checkpoint
from callscope_export.errors import CheckpointInvalid
from callscope_export.whisper import WhisperSettings, read_whisper, whisper_weights

from .checkpoint_variants import (
    GENERATION,
    TABLE,
    VARIANTS,
    change,
    no_generation,
    old_generation,
    real_vocabulary,
    slow_tokenizer,
    tie,
)
from .fixture_types import Checkpoints
from .random_checkpoint import TinyWhisper, write_whisper


@pytest.fixture
def folder(checkpoint: Checkpoints, tmp_path: Path) -> Path:
    """A multilingual checkpoint that a test may change."""
    copy = tmp_path / "multilingual"
    shutil.copytree(checkpoint("multilingual"), copy)
    return copy


def settings_of(folder: Path) -> WhisperSettings:
    return read_whisper(open_checkpoint(folder))


@pytest.mark.parametrize("variant", [name for name in VARIANTS if "float16" not in name])
def test_a_checkpoint_saved_otherwise_gives_the_same_graphs(
    checkpoint: Checkpoints, folder: Path, tmp_path: Path, variant: str
) -> None:
    plain = export_whisper(checkpoint("multilingual"), tmp_path / "plain", parity="off")
    VARIANTS[variant](folder)
    other = export_whisper(folder, tmp_path / "other", parity="off")
    for one, same in zip(plain.models, other.models, strict=True):
        if one.name != "whisper_tokenizer":
            assert same.graph_sha256 == one.graph_sha256, one.name


@pytest.mark.parametrize("variant", ["float16", "bfloat16"])
def test_halved_weights_are_read_as_they_are(folder: Path, variant: str) -> None:
    exact = whisper_weights(open_checkpoint(folder))["encoder.conv1.weight"]
    VARIANTS[variant](folder)
    found = whisper_weights(open_checkpoint(folder))["encoder.conv1.weight"]
    assert found.dtype == np.float32
    assert 0 < np.abs(found - exact).max() < 0.01


@pytest.mark.parametrize("spoil", [old_generation, no_generation])
def test_tokens_that_no_setting_names_are_found_in_the_vocabulary(folder: Path, spoil: Any) -> None:
    whole = settings_of(folder)
    spoil(folder)
    assert settings_of(folder) == whole


@pytest.mark.parametrize(("languages", "vocabulary"), [(99, 51_865), (100, 51_866)])
def test_vocabularies_of_whispers_size_have_their_languages(tmp_path: Path, languages: int, vocabulary: int) -> None:
    tokenizer = real_vocabulary(languages)
    tiny = TinyWhisper(languages=(), width=16, encoder_layers=1, decoder_layers=1, mel_bins=128)
    write_whisper(tmp_path, tiny, tokenizer)
    (tmp_path / GENERATION).unlink()
    settings = settings_of(tmp_path)
    assert settings.vocabulary == vocabulary
    assert list(settings.prompt.languages.values()) == list(range(50_259, 50_259 + languages))
    assert settings.prompt.tasks == {"transcribe": 50_260 + languages, "translate": 50_259 + languages}
    assert settings.prompt.no_timestamps == vocabulary - 1502
    report = export_whisper(tmp_path, tmp_path / "repository", parity="off")
    assert report.notes == ()


def test_an_english_only_vocabulary_has_none_though_its_tokenizer_names_them(tmp_path: Path) -> None:
    tiny = TinyWhisper(languages=(), width=16, encoder_layers=1, decoder_layers=1)
    write_whisper(tmp_path, tiny, real_vocabulary(99, english_only=True))
    (tmp_path / GENERATION).unlink()
    settings = settings_of(tmp_path)
    assert settings.vocabulary == 51_864
    assert (settings.prompt.languages, settings.prompt.tasks, settings.prompt.start) == ({}, {}, 50_257)


def test_a_feature_extractor_that_says_little_is_the_standard_one(folder: Path) -> None:
    whole = settings_of(folder).mel
    path = folder / "preprocessor_config.json"
    change(path, feature_size=None, sampling_rate=None, hop_length=None, n_fft=None)
    assert settings_of(folder).mel == whole


def test_the_feature_extractor_may_be_part_of_the_processor(folder: Path) -> None:
    whole = settings_of(folder).mel
    own = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").unlink()
    (folder / "processor_config.json").write_text(json.dumps({"feature_extractor": own}))
    assert settings_of(folder).mel == whole


@pytest.mark.parametrize(
    "forced",
    [
        {"language": "ko"},
        {"language": "<|ko|>"},
        {"language": "Korean"},
        {"forced_decoder_ids": [[1, "<|ko|>"], [2, "<|transcribe|>"]]},
    ],
)
def test_a_fine_tune_for_one_language_serves_that_language(folder: Path, forced: dict[str, Any]) -> None:
    ids = _ids(folder)
    if pairs := forced.get("forced_decoder_ids"):
        forced = {"forced_decoder_ids": [[place, ids[token]] for place, token in pairs]}
    change(folder / GENERATION, **forced)
    notes: list[str] = []
    settings = read_whisper(open_checkpoint(folder), notes.append)
    assert settings.prompt.languages == {"ko": ids["<|ko|>"]}
    assert "language ko" in notes[0]
    assert list(settings.speaking(["en", "ja"]).prompt.languages) == ["en", "ja"]


def test_a_forced_task_without_a_language_leaves_the_language_to_be_detected(folder: Path) -> None:
    change(folder / GENERATION, forced_decoder_ids=[[1, None], [2, _ids(folder)["<|translate|>"]]])
    prompt = settings_of(folder).prompt
    assert list(prompt.languages) == ["en", "ja", "ko"]
    assert list(prompt.tasks) == ["translate", "transcribe"]


def test_english_forced_by_config_json_is_not_heeded(folder: Path) -> None:
    """OpenAI's multilingual checkpoints have it."""
    change(folder / "config.json", forced_decoder_ids=[[1, _ids(folder)["<|en|>"]], [2, 286], [3, 290]])
    assert list(settings_of(folder).prompt.languages) == ["en", "ja", "ko"]


def test_a_distilled_model_with_its_teachers_heads_is_exported_with_a_note(tmp_path: Path) -> None:
    source = tmp_path / "distilled"
    source.mkdir()
    write_whisper(source, TinyWhisper(encoder_layers=3, decoder_layers=2, mel_bins=128))
    change(source / GENERATION, alignment_heads=[[7, 0], [10, 17]])
    report = export_whisper(source, tmp_path / "repository", parity="off")
    assert len(report.notes) == 1
    assert "alignment_heads names [7, 0]" in report.notes[0]


def test_of_two_tables_the_embedding_is_the_one(folder: Path) -> None:
    """As in transformers, which ties the scores to it whatever was saved for them."""
    table = whisper_weights(open_checkpoint(folder))["decoder.embed_tokens.weight"]
    tie(folder, TABLE, "proj_out.weight")
    np.testing.assert_array_equal(whisper_weights(open_checkpoint(folder))["decoder.embed_tokens.weight"], table)


def test_a_tokenizer_is_made_of_its_older_files(checkpoint: Checkpoints, folder: Path) -> None:
    slow_tokenizer(folder)
    made = Tokenizer.from_buffer(open_checkpoint(folder).tokenizer)
    own = Tokenizer.from_file(str(checkpoint("multilingual") / "tokenizer.json"))
    assert made.get_vocab(with_added_tokens=True) == own.get_vocab(with_added_tokens=True)
    for text in ("thank you for calling", "はい、そうです。", "네 맞습니다", "<|ja|>x"):
        assert made.encode(text).ids == own.encode(text).ids
        assert made.decode(made.encode(text).ids) == own.decode(own.encode(text).ids)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("vocab.json", "{", "none can be made"),
        ("added_tokens.json", '{"<|endoftext|>": 9999}', "gives <|endoftext|> the id 9999"),
    ],
)
def test_older_files_that_make_no_tokenizer_are_refused(folder: Path, name: str, content: str, said: str) -> None:
    slow_tokenizer(folder)
    (folder / name).write_text(content)
    with pytest.raises(CheckpointInvalid, match=said.replace("|", r"\|")):
        settings_of(folder)


def _ids(folder: Path) -> dict[str, int]:
    return Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab(with_added_tokens=True)
