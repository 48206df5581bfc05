"""Reading checkpoints: every way the weights are stored, and every way they are broken."""

import json
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from callscope_export.checkpoint import open_checkpoint
from callscope_export.errors import CheckpointInvalid, CheckpointMissing, CheckpointUnsupported
from callscope_export.whisper import read_whisper

from .checkpoint_variants import change
from .fixture_types import Checkpoints


@pytest.fixture
def folder(checkpoint: Checkpoints, tmp_path: Path) -> Path:
    """A multilingual checkpoint that a test may spoil."""
    for file in checkpoint("multilingual").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


@pytest.mark.parametrize(
    ("name", "dtype"), [("F64", np.float64), ("F32", np.float32), ("F16", np.float16), ("BF16", ml_dtypes.bfloat16)]
)
def test_floats_of_every_size_are_read_as_float32(
    rng: np.random.Generator, tmp_path: Path, name: str, dtype: Any
) -> None:
    array = rng.standard_normal((3, 4)).astype(dtype)
    data = array.tobytes()
    entries = {"a.b": [[3, 4], 0], "flat": [[12], len(data)]}
    header = {key: {"dtype": name, "shape": s, "data_offsets": [o, o + len(data)]} for key, (s, o) in entries.items()}
    text = json.dumps({**header, "__metadata__": {"format": "pt"}}).encode()
    (tmp_path / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + data + data)
    weights = open_checkpoint(tmp_path).weights("a.")
    assert weights["b"].dtype == np.float32
    np.testing.assert_array_equal(weights["b"], array.astype(np.float32))
    np.testing.assert_array_equal(weights["flat"], array.astype(np.float32).reshape(12))
    assert sorted(weights) == ["b", "flat"]


def test_shards_are_read_as_one(rng: np.random.Generator, tmp_path: Path) -> None:
    arrays = {name: rng.standard_normal((2, 3)).astype(np.float32) for name in "abc"}
    save_file({"a": arrays["a"]}, tmp_path / "model-1.safetensors")
    save_file({"b": arrays["b"], "c": arrays["c"]}, tmp_path / "model-2.safetensors")
    places = {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-2.safetensors"}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    weights = open_checkpoint(tmp_path).weights("")
    assert len(weights) == 3
    for name, array in arrays.items():
        np.testing.assert_array_equal(weights[name], array)


def test_a_folder_is_remembered_by_its_name_and_its_weights(folder: Path) -> None:
    checkpoint = open_checkpoint(folder)
    assert checkpoint.source == folder.name
    assert checkpoint.revision.startswith("sha256:")
    assert open_checkpoint(folder, "v2").revision == "v2"


def test_cut_off_weights_are_refused(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointInvalid, match="shorter than its header"):
        open_checkpoint(folder).weights("")


@pytest.mark.parametrize(
    "content", [b"", b"not a checkpoint", b"\xff" * 64, b"\x02\0\0\0\0\0\0\x0012345", b"\x02" + bytes(7) + b"[1]"]
)
def test_weights_that_are_no_safetensors_are_refused(folder: Path, content: bytes | str) -> None:
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(CheckpointInvalid, match="safetensors"):
        open_checkpoint(folder).weights("")


def test_weights_of_an_unknown_type_are_refused(tmp_path: Path) -> None:
    header = json.dumps({"a": {"dtype": "F8_E4M3", "shape": [1], "data_offsets": [0, 1]}}).encode()
    (tmp_path / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"0")
    with pytest.raises(CheckpointUnsupported, match="F8_E4M3"):
        open_checkpoint(tmp_path).weights("")


def test_a_missing_tensor_is_named(folder: Path) -> None:
    with pytest.raises(CheckpointInvalid, match=r"encoder\.conv9"):
        open_checkpoint(folder).weights("model.")["encoder.conv9"]


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json", "tokenizer.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(CheckpointInvalid, match=name):
        read_whisper(open_checkpoint(folder))


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_broken_file_is_named(folder: Path, content: bytes | str) -> None:
    (folder / "config.json").write_text(content)
    with pytest.raises(CheckpointInvalid, match=r"config\.json"):
        read_whisper(open_checkpoint(folder))


def test_a_folder_without_weights_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointInvalid, match=r"no model\.safetensors"):
        open_checkpoint(folder)


def test_a_token_that_is_named_nowhere_is_asked_for(folder: Path) -> None:
    change(folder / "generation_config.json", no_timestamps_token_id=None)
    content = (folder / "tokenizer.json").read_text().replace("<|notimestamps|>", "<|other|>")
    (folder / "tokenizer.json").write_text(content)
    with pytest.raises(CheckpointInvalid, match="no_timestamps_token_id"):
        read_whisper(open_checkpoint(folder))


def test_tasks_without_transcription_are_refused(folder: Path) -> None:
    change(folder / "generation_config.json", task_to_id={"translate": 285})
    with pytest.raises(CheckpointInvalid, match="transcribe"):
        read_whisper(open_checkpoint(folder))


def test_the_default_task_is_transcription_wherever_it_stands(folder: Path) -> None:
    change(folder / "generation_config.json", task_to_id={"translate": 285, "transcribe": 286})
    assert list(read_whisper(open_checkpoint(folder)).prompt.tasks) == ["transcribe", "translate"]


def test_a_missing_setting_is_named(folder: Path) -> None:
    change(folder / "config.json", d_model=None)
    with pytest.raises(CheckpointInvalid, match="d_model"):
        read_whisper(open_checkpoint(folder))


def test_settings_that_contradict_each_other_are_refused(folder: Path) -> None:
    change(folder / "preprocessor_config.json", chunk_length=30)
    with pytest.raises(CheckpointInvalid, match="3000 frames"):
        read_whisper(open_checkpoint(folder))
    change(folder / "preprocessor_config.json", chunk_length=1, feature_size=128)
    with pytest.raises(CheckpointInvalid, match=r"128 mel bins and config\.json wants 80"):
        read_whisper(open_checkpoint(folder))


@pytest.mark.parametrize(
    "setting", [{"model_type": "bert"}, {"activation_function": "relu"}, {"scale_embedding": True}]
)
def test_settings_that_no_graph_covers_are_refused(folder: Path, setting: dict[str, Any]) -> None:
    change(folder / "config.json", **setting)
    with pytest.raises(CheckpointUnsupported, match=next(iter(setting))):
        read_whisper(open_checkpoint(folder))


def test_a_name_that_is_no_folder_and_that_no_hub_gives_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(CheckpointMissing, match="no folder nobody/nothing"):
        open_checkpoint("nobody/nothing")
    with pytest.raises(CheckpointMissing, match="Check the spelling"):
        open_checkpoint(tmp_path / "not" / "there")


def test_special_tokens_come_from_the_files(checkpoint: Checkpoints) -> None:
    prompt = read_whisper(open_checkpoint(checkpoint("multilingual"))).prompt
    assert list(prompt.languages) == ["en", "ja", "ko"]
    assert set(prompt.tasks) == {"transcribe", "translate"}
    assert prompt.length == 4
    english = read_whisper(open_checkpoint(checkpoint("english_only"))).prompt
    assert (english.languages, english.tasks, english.length) == ({}, {}, 2)


def test_a_vocabulary_without_a_no_speech_token_uses_the_place_before_notimestamps(folder: Path) -> None:
    before = read_whisper(open_checkpoint(folder)).prompt
    content = (folder / "tokenizer.json").read_text().replace("<|nospeech|>", "<|other|>")
    (folder / "tokenizer.json").write_text(content)
    assert read_whisper(open_checkpoint(folder)).prompt.no_speech == before.no_timestamps - 1
