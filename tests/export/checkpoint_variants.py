"""Checkpoints as they are found: the same model, saved otherwise or with less beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

TABLE, SCORES = "model.decoder.embed_tokens.weight", "proj_out.weight"
GENERATION = "generation_config.json"
LANGUAGE_CODES = [first + second for first in "abcdefghij" for second in "abcdefghij"]


def change(path: Path, **settings: Any) -> None:
    """Set some settings of a JSON file; None takes one out."""
    content = json.loads(path.read_text()) | settings
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def shard(folder: Path, count: int = 3) -> None:
    """Spread the weights over several files, as transformers does beyond 5 GB."""
    arrays = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    places = {name: f"model-{index % count + 1:05}-of-{count:05}.safetensors" for index, name in enumerate(arrays)}
    for file_name in set(places.values()):
        save_file({name: arrays[name] for name, place in places.items() if place == file_name}, folder / file_name)
    index = {"metadata": {"total_size": 0}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def store_as(folder: Path, dtype: Any) -> None:
    """Round the weights to another type."""
    arrays = load_file(folder / "model.safetensors")
    rounded = {name: array.astype(dtype) for name, array in arrays.items()}
    save_file(rounded, folder / "model.safetensors", metadata={"format": "pt"})


def tie(folder: Path, *names: str) -> None:
    """Save the tied embeddings under these names."""
    arrays = load_file(folder / "model.safetensors")
    table = arrays.pop(TABLE)
    save_file({**arrays, **{name: table.copy() for name in names}}, folder / "model.safetensors", {"format": "pt"})


def without_prefix(folder: Path) -> None:
    """Save the weights as `WhisperModel` does, which has no `model.` before its names."""
    arrays = load_file(folder / "model.safetensors")
    save_file({name.removeprefix("model."): array for name, array in arrays.items()}, folder / "model.safetensors")


def old_generation(folder: Path) -> None:
    """Leave in generation_config.json what it had before mid-2023."""
    change(folder / GENERATION, lang_to_id=None, task_to_id=None, no_timestamps_token_id=None, is_multilingual=None)


def no_generation(folder: Path) -> None:
    """Take generation_config.json away, and put into config.json what stood there before there was one."""
    own = json.loads((folder / GENERATION).read_text())
    kept = {key: own[key] for key in ("suppress_tokens", "begin_suppress_tokens")}
    change(folder / "config.json", **kept, forced_decoder_ids=[[1, 281], [2, 285]])
    (folder / GENERATION).unlink()


def slow_tokenizer(folder: Path) -> None:
    """Replace tokenizer.json by the files that transformers' WhisperTokenizer saves."""
    content = json.loads((folder / "tokenizer.json").read_text())
    merges = [" ".join(pair) if isinstance(pair, list) else pair for pair in content["model"]["merges"]]
    added = {token["content"]: token["id"] for token in content["added_tokens"]}
    (folder / "vocab.json").write_text(json.dumps(content["model"]["vocab"]))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]))
    (folder / "added_tokens.json").write_text(json.dumps(added))
    special = {"eos_token": {"content": "<|endoftext|>"}, "additional_special_tokens": list(added)}
    (folder / "special_tokens_map.json").write_text(json.dumps(special))
    (folder / "tokenizer.json").unlink()


def as_bfloat16(folder: Path) -> None:
    """Half the size, eight bits of exponent."""
    store_as(folder, ml_dtypes.bfloat16)


def as_float16(folder: Path) -> None:
    """Half the size, as most published checkpoints."""
    store_as(folder, np.float16)


VARIANTS: dict[str, Callable[[Path], None]] = {
    "sharded": shard,
    "bfloat16": as_bfloat16,
    "float16": as_float16,
    "no prefix": without_prefix,
    "scores only": lambda folder: tie(folder, SCORES),
    "both names": lambda folder: tie(folder, TABLE, SCORES),
    "old generation config": old_generation,
    "no generation config": no_generation,
    "slow tokenizer": slow_tokenizer,
}


def real_vocabulary(languages: int, *, english_only: bool = False) -> Tokenizer:
    """A tokenizer of Whisper's real size, its special tokens where Whisper has them, its text made up."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    text = alphabet + [f"x{number}" for number in range(50_257 - english_only - len(alphabet))]
    tokenizer = Tokenizer(models.BPE(vocab={token: index for index, token in enumerate(text)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["endoftext", "startoftranscript", *LANGUAGE_CODES[:languages], "translate", "transcribe"]
    special += ["startoflm", "startofprev", "nospeech", "notimestamps"]
    special += [f"{0.02 * step:.2f}" for step in range(1501)]
    tokenizer.add_special_tokens([f"<|{name}|>" for name in special])
    return tokenizer
