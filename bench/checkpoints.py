"""Checkpoints of Whisper's real dimensions with random weights: what a benchmark needs where no hub can be reached.

The vocabulary is made up too, of the right size and with every special token where Whisper has it, so that any
runtime that loads a published checkpoint loads these.
"""

from __future__ import annotations

import argparse
import itertools
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

LANGUAGES = """
en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro
da hu ta no th ur hr bg lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu
is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am yi lo
uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su yue
""".split()
"""In the order of their tokens (openai/whisper, tokenizer.py); Cantonese came with large-v3."""
TEXT_TOKENS = 50_257
TIMESTAMPS = 1_501
SHARD_BYTES = 1_000_000_000
SPREAD = 3.0
"""Standard deviation of the scores of the next token: close seconds are then rare."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The dimensions of a published checkpoint (config.json of openai/whisper-* and distil-whisper/*).

    `languages` is 0 for an English-only vocabulary, whose text has one token less.
    """

    width: int
    encoder_layers: int
    decoder_layers: int
    mel_bins: int = 80
    languages: int = 99

    @property
    def heads(self) -> int:
        """Each 64 wide, in all sizes."""
        return self.width // 64

    @property
    def text_tokens(self) -> int:
        """How many tokens stand before end-of-text."""
        return TEXT_TOKENS if self.languages else TEXT_TOKENS - 1


SHAPES = {
    "tiny": Shape(384, 4, 4),
    "tiny.en": Shape(384, 4, 4, languages=0),
    "tiny-128": Shape(384, 4, 4, mel_bins=128, languages=100),
    "base": Shape(512, 6, 6),
    "distil-base": Shape(512, 6, 2),
    "small": Shape(768, 12, 12),
    "medium": Shape(1024, 24, 24),
    "large-v3": Shape(1280, 32, 32, mel_bins=128, languages=100),
    "turbo": Shape(1280, 32, 4, mel_bins=128, languages=100),
}


def write_checkpoint(folder: Path, shape: Shape, *, endless: bool = False, half: bool = False, seed: int = 0) -> Path:
    """Write a checkpoint in Hugging Face's layout, its weights in one file or, beyond `SHARD_BYTES`, in several.

    Args:
        folder: Where to; made where it does not exist.
        shape: Its dimensions.
        endless: Whether end-of-text is suppressed, so that every window gives as many tokens as are asked for.
        half: Whether weights are stored in half precision.
        seed: Of the weights.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer(shape)
    tokenizer.save(str(folder / "tokenizer.json"))
    ids = tokenizer.get_vocab(with_added_tokens=True)
    _write(folder / "config.json", _config(shape, ids))
    _write(folder / "generation_config.json", _generation_config(shape, ids, endless=endless))
    _write(folder / "preprocessor_config.json", _preprocessor_config(shape))
    _write_weights(folder, _weights(shape, len(ids), np.float16 if half else np.float32, seed))
    return folder


def _tokenizer(shape: Shape) -> Tokenizer:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pairs = ("".join(pair) for pair in itertools.product(alphabet, repeat=2))
    text = [*alphabet, *itertools.islice(pairs, shape.text_tokens - len(alphabet))]
    tokenizer = Tokenizer(models.BPE(vocab={token: index for index, token in enumerate(text)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    languages = LANGUAGES[: shape.languages or 99]
    special = ["endoftext", "startoftranscript", *languages, "translate", "transcribe"]
    special += ["startoflm", "startofprev", "nospeech", "notimestamps"]
    special += [f"{0.02 * step:.2f}" for step in range(TIMESTAMPS)]
    tokenizer.add_special_tokens([f"<|{name}|>" for name in special])
    return tokenizer


def _config(shape: Shape, ids: dict[str, int]) -> dict[str, Any]:
    end = ids["<|endoftext|>"]
    config: dict[str, Any] = {"architectures": ["WhisperForConditionalGeneration"], "model_type": "whisper"}
    config |= {"d_model": shape.width, "num_mel_bins": shape.mel_bins, "vocab_size": len(ids)}
    for side, layers in (("encoder", shape.encoder_layers), ("decoder", shape.decoder_layers)):
        config |= {f"{side}_layers": layers, f"{side}_attention_heads": shape.heads}
        config |= {f"{side}_ffn_dim": 4 * shape.width}
    config |= {"max_source_positions": 1500, "max_target_positions": 448, "num_hidden_layers": shape.encoder_layers}
    config |= {"eos_token_id": end, "bos_token_id": end, "pad_token_id": end, "suppress_tokens": None}
    config |= {"decoder_start_token_id": ids["<|startoftranscript|>"], "begin_suppress_tokens": None}
    return config


def _generation_config(shape: Shape, ids: dict[str, int], *, endless: bool) -> dict[str, Any]:
    end = ids["<|endoftext|>"]
    special = [number for token, number in ids.items() if token.startswith("<|") and number != end]
    generation: dict[str, Any] = {"eos_token_id": end, "bos_token_id": end, "pad_token_id": end, "max_length": 448}
    generation |= {"decoder_start_token_id": ids["<|startoftranscript|>"], "return_timestamps": False}
    generation |= {"no_timestamps_token_id": ids["<|notimestamps|>"], "is_multilingual": bool(shape.languages)}
    generation |= {"suppress_tokens": sorted([*special, *([end] if endless else [])])}
    generation |= {"begin_suppress_tokens": [ids["Ġ"], end]}
    if shape.languages:
        generation["lang_to_id"] = {f"<|{code}|>": ids[f"<|{code}|>"] for code in LANGUAGES[: shape.languages]}
        generation["task_to_id"] = {task: ids[f"<|{task}|>"] for task in ("transcribe", "translate")}
    return generation


def _preprocessor_config(shape: Shape) -> dict[str, Any]:
    preprocessor: dict[str, Any] = {"feature_extractor_type": "WhisperFeatureExtractor", "n_fft": 400}
    preprocessor |= {"feature_size": shape.mel_bins, "hop_length": 160, "sampling_rate": 16_000, "chunk_length": 30}
    return preprocessor | {"padding_value": 0.0, "nb_max_frames": 3000, "n_samples": 480_000}


def _weights(shape: Shape, vocabulary: int, dtype: type[np.floating[Any]], seed: int) -> Iterator[tuple[str, Any]]:
    """Each array under transformers' name, made when it is asked for."""
    for name, (size, scale, mean) in _arrays(shape, vocabulary):
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        yield name, (mean + scale * rng.standard_normal(size, np.float32)).astype(dtype)


Array = tuple[tuple[int, ...], float, float]  # shape, standard deviation, mean


def _arrays(shape: Shape, vocabulary: int) -> Iterator[tuple[str, Array]]:
    width = shape.width
    for name, channels in (("conv1", shape.mel_bins), ("conv2", width)):
        yield f"model.encoder.{name}.weight", ((width, channels, 3), (3 * channels) ** -0.5, 0.0)
        yield f"model.encoder.{name}.bias", ((width,), 0.1, 0.0)
    yield "model.encoder.embed_positions.weight", ((1500, width), 0.3, 0.0)
    yield "model.decoder.embed_positions.weight", ((448, width), 0.3, 0.0)
    yield "model.decoder.embed_tokens.weight", ((vocabulary, width), SPREAD * width**-0.5, 0.0)
    for side, layers in (("encoder", shape.encoder_layers), ("decoder", shape.decoder_layers)):
        for index in range(layers):
            yield from _layer(f"model.{side}.layers.{index}", width, cross=side == "decoder")
        yield from _norm(f"model.{side}.layer_norm", width)


def _layer(name: str, width: int, *, cross: bool) -> Iterator[tuple[str, Array]]:
    for attention in ("self_attn", "encoder_attn") if cross else ("self_attn",):
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            yield from _linear(f"{name}.{attention}.{part}", width, width, bias=part != "k_proj")
        yield from _norm(f"{name}.{attention}_layer_norm", width)
    yield from _linear(f"{name}.fc1", 4 * width, width)
    yield from _linear(f"{name}.fc2", width, 4 * width)
    yield from _norm(f"{name}.final_layer_norm", width)


def _linear(name: str, n: int, k: int, *, bias: bool = True) -> Iterator[tuple[str, Array]]:
    yield f"{name}.weight", ((n, k), 1.5 * k**-0.5, 0.0)
    if bias:
        yield f"{name}.bias", ((n,), 0.1, 0.0)


def _norm(name: str, size: int) -> Iterator[tuple[str, Array]]:
    yield f"{name}.weight", ((size,), 0.1, 1.0)
    yield f"{name}.bias", ((size,), 0.1, 0.0)


def _write_weights(folder: Path, weights: Iterator[tuple[str, NDArray[Any]]]) -> None:
    """Write shards as they fill, then name them and their index, or the only one."""
    shards: list[list[str]] = []
    shard: dict[str, NDArray[Any]] = {}

    def close() -> None:
        save_file(shard, folder / f"part-{len(shards)}.safetensors", metadata={"format": "pt"})
        shards.append(list(shard))
        shard.clear()

    for name, array in weights:
        shard[name] = array
        if sum(kept.nbytes for kept in shard.values()) > SHARD_BYTES:
            close()
    if shard:
        close()
    if len(shards) == 1:
        (folder / "part-0.safetensors").rename(folder / "model.safetensors")
        return
    weight_map = {}
    for index, names in enumerate(shards):
        file_name = f"model-{index + 1:05}-of-{len(shards):05}.safetensors"
        (folder / f"part-{index}.safetensors").rename(folder / file_name)
        weight_map |= dict.fromkeys(names, file_name)
    _write(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": weight_map})


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--endless", action="store_true", help="suppress end-of-text: the length is what is asked for")
    parser.add_argument("--half", action="store_true", help="store weights in half precision")
    options = parser.parse_args()
    write_checkpoint(options.folder, SHAPES[options.shape], endless=options.endless, half=options.half)


if __name__ == "__main__":
    main()
