"""Writes small random checkpoints in Hugging Face's layout, with numpy, safetensors and tokenizers alone."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

Array = NDArray[Any]
END_LOUDNESS = 2.4
"""How much larger the scores of end-of-text are than others, so that many rows end, at different places."""
TEXTS = (
    "thank you for calling",
    "my line has been down since monday",
    "네 맞습니다",
    "はい、そうです。",
    "how can i help",
)


@dataclass(frozen=True)
class TinyWhisper:
    languages: tuple[str, ...] = ("en", "ja", "ko")
    mel_bins: int = 80
    width: int = 32
    heads: int = 2
    encoder_layers: int = 2
    decoder_layers: int = 2
    encoder_positions: int = 50
    decoder_positions: int = 24
    seed: int = 0

    @property
    def frames(self) -> int:
        return 2 * self.encoder_positions


def write_whisper(folder: Path, tiny: TinyWhisper, tokenizer: Tokenizer | None = None) -> Path:
    """Write a checkpoint whose every token has a fair chance, end-of-text included."""
    tokenizer = tokenizer or _whisper_tokenizer(tiny)
    tokenizer.save(str(folder / "tokenizer.json"))
    ids = tokenizer.get_vocab(with_added_tokens=True)
    vocabulary = len(ids)
    _write(folder / "config.json", _whisper_config(tiny, vocabulary, ids))
    _write(folder / "generation_config.json", _generation_config(tiny, ids))
    preprocessor = {"feature_extractor_type": "WhisperFeatureExtractor", "feature_size": tiny.mel_bins, "n_fft": 400}
    preprocessor |= {
        "hop_length": 160,
        "sampling_rate": 16000,
        "chunk_length": tiny.frames // 100,
        "padding_value": 0.0,
    }
    _write(folder / "preprocessor_config.json", preprocessor)
    save_file(
        _whisper_weights(tiny, vocabulary, ids["<|endoftext|>"]),
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    return folder


def write_bert(folder: Path, *, labels: tuple[str, ...], per_token: bool = True, seed: int = 3) -> Path:
    width, layers, vocabulary = 32, 2, write_text_tokenizer(folder)
    head = "Token" if per_token else "Sequence"
    config = {"architectures": [f"BertFor{head}Classification"], "model_type": "bert", "hidden_act": "gelu"}
    config |= {"hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": 4, "intermediate_size": 64}
    config |= {"max_position_embeddings": 64, "type_vocab_size": 2, "vocab_size": vocabulary, "layer_norm_eps": 1e-12}
    config |= {"id2label": dict(enumerate(labels)), "label2id": {label: index for index, label in enumerate(labels)}}
    _write(folder / "config.json", config)
    weights = _bert_weights(vocabulary, width, layers, len(labels), per_token=per_token, seed=seed)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def write_text_tokenizer(folder: Path) -> int:
    """Write the tokenizer.json of a text classifier, and tell how many tokens it knows."""
    tokenizer = _bert_tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    return int(tokenizer.get_vocab_size())


def _whisper_tokenizer(tiny: TinyWhisper) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        TEXTS, trainers.BpeTrainer(vocab_size=280, show_progress=False, initial_alphabet=alphabet)
    )
    languages = [f"<|{code}|>" for code in tiny.languages]
    tasks = ["<|translate|>", "<|transcribe|>"]
    special = ["<|endoftext|>", "<|startoftranscript|>", *languages, *tasks, "<|startoflm|>", "<|startofprev|>"]
    tokenizer.add_special_tokens([*special, "<|nospeech|>", "<|notimestamps|>"])
    return tokenizer


def _bert_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    trainer = trainers.BpeTrainer(vocab_size=300, show_progress=False, special_tokens=special, initial_alphabet=[])
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


def _whisper_config(tiny: TinyWhisper, vocabulary: int, ids: dict[str, int]) -> dict[str, Any]:
    config: dict[str, Any] = {"architectures": ["WhisperForConditionalGeneration"], "model_type": "whisper"}
    config |= {"d_model": tiny.width, "num_mel_bins": tiny.mel_bins, "vocab_size": vocabulary}
    for side, layers in (("encoder", tiny.encoder_layers), ("decoder", tiny.decoder_layers)):
        config |= {f"{side}_layers": layers, f"{side}_attention_heads": tiny.heads, f"{side}_ffn_dim": 2 * tiny.width}
    config |= {"max_source_positions": tiny.encoder_positions, "max_target_positions": tiny.decoder_positions}
    end = ids["<|endoftext|>"]
    config |= {"eos_token_id": end, "bos_token_id": end, "pad_token_id": end, "suppress_tokens": None}
    config |= {"decoder_start_token_id": ids["<|startoftranscript|>"], "begin_suppress_tokens": None}
    return config


def _generation_config(tiny: TinyWhisper, ids: dict[str, int]) -> dict[str, Any]:
    special = [token for token in ids if token.startswith("<|") and token != "<|endoftext|>"]
    end = ids["<|endoftext|>"]
    generation: dict[str, Any] = {"eos_token_id": end, "bos_token_id": end, "pad_token_id": end}
    generation |= {"decoder_start_token_id": ids["<|startoftranscript|>"], "max_length": tiny.decoder_positions}
    generation |= {"no_timestamps_token_id": ids["<|notimestamps|>"], "is_multilingual": bool(tiny.languages)}
    generation |= {"suppress_tokens": sorted([3, 5, 8, *(ids[token] for token in special)])}
    generation |= {"begin_suppress_tokens": [ids["Ġ"], end], "return_timestamps": False}
    if tiny.languages:
        generation["lang_to_id"] = {f"<|{code}|>": ids[f"<|{code}|>"] for code in tiny.languages}
        generation["task_to_id"] = {task: ids[f"<|{task}|>"] for task in ("transcribe", "translate")}
    return generation


class _Random:
    """Fills a dictionary with arrays under the names that transformers uses."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.arrays: dict[str, Array] = {}

    def array(self, name: str, *shape: int, scale: float = 1.0) -> None:
        self.arrays[name] = (scale * self.rng.standard_normal(shape)).astype(np.float32)

    def linear(self, name: str, n: int, k: int, *, bias: bool = True) -> None:
        self.array(f"{name}.weight", n, k, scale=2.0 / k**0.5)
        if bias:
            self.array(f"{name}.bias", n, scale=0.3)

    def norm(self, name: str, size: int) -> None:
        self.array(f"{name}.bias", size, scale=0.2)
        self.arrays[f"{name}.weight"] = (1 + 0.2 * self.rng.standard_normal(size)).astype(np.float32)

    def attention(self, name: str, width: int) -> None:
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            self.linear(f"{name}.{part}", width, width, bias=part != "k_proj")


def _whisper_weights(tiny: TinyWhisper, vocabulary: int, end_of_text: int) -> dict[str, Array]:
    random, width = _Random(tiny.seed), tiny.width
    random.array("model.encoder.conv1.weight", width, tiny.mel_bins, 3, scale=1 / tiny.mel_bins**0.5)
    random.array("model.encoder.conv2.weight", width, width, 3, scale=1 / width**0.5)
    for conv in ("conv1", "conv2"):
        random.array(f"model.encoder.{conv}.bias", width, scale=0.2)
    random.array("model.encoder.embed_positions.weight", tiny.encoder_positions, width, scale=0.5)
    random.array("model.decoder.embed_positions.weight", tiny.decoder_positions, width, scale=1.5)
    random.array("model.decoder.embed_tokens.weight", vocabulary, width, scale=0.25)
    for side, layers in (("encoder", tiny.encoder_layers), ("decoder", tiny.decoder_layers)):
        for index in range(layers):
            _whisper_layer(random, f"model.{side}.layers.{index}", width, cross=side == "decoder")
        random.norm(f"model.{side}.layer_norm", width)
    random.arrays["model.decoder.layer_norm.weight"] *= 2
    random.arrays["model.decoder.embed_tokens.weight"][end_of_text] *= END_LOUDNESS
    return random.arrays


def _whisper_layer(random: _Random, name: str, width: int, *, cross: bool) -> None:
    for attention in ("self_attn", "encoder_attn") if cross else ("self_attn",):
        random.attention(f"{name}.{attention}", width)
        random.norm(f"{name}.{attention}_layer_norm", width)
    random.linear(f"{name}.fc1", 2 * width, width)
    random.linear(f"{name}.fc2", width, 2 * width)
    random.norm(f"{name}.final_layer_norm", width)


def _bert_weights(
    vocabulary: int, width: int, layers: int, labels: int, *, per_token: bool, seed: int
) -> dict[str, Array]:
    random = _Random(seed)
    for name, rows in (("word", vocabulary), ("position", 64), ("token_type", 2)):
        random.array(f"bert.embeddings.{name}_embeddings.weight", rows, width)
    random.norm("bert.embeddings.LayerNorm", width)
    for index in range(layers):
        layer = f"bert.encoder.layer.{index}"
        for part in ("query", "key", "value"):
            random.linear(f"{layer}.attention.self.{part}", width, width)
        random.linear(f"{layer}.attention.output.dense", width, width)
        random.norm(f"{layer}.attention.output.LayerNorm", width)
        random.linear(f"{layer}.intermediate.dense", 2 * width, width)
        random.linear(f"{layer}.output.dense", width, 2 * width)
        random.norm(f"{layer}.output.LayerNorm", width)
    if not per_token:
        random.linear("bert.pooler.dense", width, width)
    random.linear("classifier", labels, width)
    return random.arrays


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content))
