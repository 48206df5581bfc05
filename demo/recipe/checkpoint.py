"""The recogniser's folder in Hugging Face's Whisper layout: tokenizer, configuration, features."""

from __future__ import annotations

import random
from pathlib import Path

from demo.recipe import texts
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    GenerationConfig,
    PreTrainedTokenizerFast,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
)

WINDOW_S = 8
MELS = 80
VOCABULARY = 2_500
SPECIAL = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    *(f"<|{language}|>" for language in texts.LANGUAGES),
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)


def train_tokenizer(sentences: int = 20_000) -> Tokenizer:
    """Byte-level BPE over training sentences of the three languages."""
    rng = random.Random("tokenizer")
    corpus = [
        texts.spoken(texts.sentence(language, "train", rng)[1])
        for _ in range(sentences)
        for language in texts.LANGUAGES
    ]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(SPECIAL), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(corpus, trainer)
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    return tokenizer


def features() -> WhisperFeatureExtractor:
    """Whisper's own front end with a shorter window."""
    return WhisperFeatureExtractor(
        feature_size=MELS, sampling_rate=16_000, hop_length=160, chunk_length=WINDOW_S, n_fft=400
    )


def configuration(tokenizer: Tokenizer, **sizes: int) -> WhisperConfig:
    """A small Whisper."""
    end, start = (tokenizer.token_to_id(token) for token in SPECIAL[:2])
    width = sizes.get("width", 256)
    return WhisperConfig(
        vocab_size=tokenizer.get_vocab_size(),
        num_mel_bins=MELS,
        d_model=width,
        encoder_layers=sizes.get("encoder_layers", 4),
        decoder_layers=sizes.get("decoder_layers", 4),
        encoder_attention_heads=width // 64,
        decoder_attention_heads=width // 64,
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
        max_source_positions=WINDOW_S * 50,
        max_target_positions=128,
        dropout=0.0,  # the training makes its own noise
        init_std=0.06,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        decoder_start_token_id=start,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )


def generation(tokenizer: Tokenizer) -> GenerationConfig:
    """What `generate` needs to know: the ids of languages, tasks and marks."""
    identity = tokenizer.token_to_id
    return GenerationConfig(
        bos_token_id=identity("<|endoftext|>"),
        eos_token_id=identity("<|endoftext|>"),
        pad_token_id=identity("<|endoftext|>"),
        decoder_start_token_id=identity("<|startoftranscript|>"),
        prev_sot_token_id=identity("<|startofprev|>"),
        no_timestamps_token_id=identity("<|notimestamps|>"),
        is_multilingual=True,
        lang_to_id={f"<|{language}|>": identity(f"<|{language}|>") for language in texts.LANGUAGES},
        task_to_id={"transcribe": identity("<|transcribe|>"), "translate": identity("<|translate|>")},
        suppress_tokens=[identity(token) for token in SPECIAL[1:]],
        alignment_heads=[[1, 0], [3, 1]],  # taught to look at the whole token (see `guide`)
        return_timestamps=False,
        max_length=128,
    )


def save(model: WhisperForConditionalGeneration, tokenizer: Tokenizer, folder: Path) -> None:
    """Writes the folder that `callscope export whisper` and transformers both read; weights in half precision."""
    model.half().save_pretrained(folder, safe_serialization=True)
    model.float()
    generation(tokenizer).save_pretrained(folder)
    features().save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|endoftext|>",
        eos_token="<|endoftext|>",
        unk_token="<|endoftext|>",
        additional_special_tokens=list(SPECIAL[1:]),
    ).save_pretrained(folder)
