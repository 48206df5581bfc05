"""What an export needs to know of a Whisper checkpoint, read from its settings and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .checkpoint import Checkpoint
from .errors import CheckpointInvalid, CheckpointUnsupported

MOST_TOKENS = 224
"""Whisper's own limit of text tokens in a window: half of its text context (openai/whisper, decoding.py)."""

NO_SPEECH_NAMES = ("<|nospeech|>", "<|nocaptions|>")


@dataclass(frozen=True, slots=True)
class MelSettings:
    """The log-mel spectrogram, from preprocessor_config.json."""

    sample_rate_hz: int
    window_samples: int
    fft_samples: int
    hop_samples: int
    mel_bins: int

    @property
    def frames(self) -> int:
        """Frames of a window."""
        return self.window_samples // self.hop_samples


@dataclass(frozen=True, slots=True)
class Prompt:
    """The special tokens, from generation_config.json.

    Attributes:
        start: The first token of every prompt.
        languages: Token id by language code; empty for an English-only checkpoint.
        tasks: Token id by task name, the default first; empty for an English-only checkpoint.
        no_timestamps: The token that ends the prompt.
        no_speech: The token whose probability after `start` says that nobody speaks.
        end_of_text: The token that ends a transcript.
        suppress: Tokens that are never chosen.
        begin_suppress: Tokens that are not chosen first.
    """

    start: int
    languages: Mapping[str, int]
    tasks: Mapping[str, int]
    no_timestamps: int
    no_speech: int
    end_of_text: int
    suppress: tuple[int, ...]
    begin_suppress: tuple[int, ...]

    @property
    def length(self) -> int:
        """Tokens before the first of the text."""
        return 2 + bool(self.languages) + bool(self.tasks)


@dataclass(frozen=True, slots=True)
class WhisperSettings:
    """Sizes and tokens of a checkpoint.

    `alignment_heads` are (layer, head) of the decoder whose cross-attention follows the sound word by word.
    """

    mel: MelSettings
    prompt: Prompt
    alignment_heads: tuple[tuple[int, int], ...]
    width: int
    encoder_layers: int
    encoder_heads: int
    encoder_positions: int
    decoder_layers: int
    decoder_heads: int
    decoder_positions: int
    vocabulary: int

    @property
    def max_tokens(self) -> int:
        """The most text tokens a window can give."""
        return min(MOST_TOKENS, self.decoder_positions - self.prompt.length)

    @property
    def sizes(self) -> dict[str, int]:
        """The contract's named dimensions."""
        return {
            "S": self.mel.window_samples,
            "M": self.mel.mel_bins,
            "F": self.mel.frames,
            "C": self.encoder_positions,
            "D": self.width,
            "N": self.max_tokens,
        }


def read_whisper(checkpoint: Checkpoint) -> WhisperSettings:
    """Read a checkpoint's settings.

    Raises:
        CheckpointInvalid: A setting is missing, or two of them contradict each other.
        CheckpointUnsupported: It is no Whisper model, or one with a setting the graphs do not cover.
    """
    config = checkpoint.config
    _refuse_unsupported(config, checkpoint.folder.name)
    try:
        settings = _settings(checkpoint, config)
    except KeyError as error:
        raise CheckpointInvalid(
            f"The settings in {checkpoint.folder} have no {error}. "
            "Take the generation_config.json and preprocessor_config.json of the model it was made from."
        ) from error
    if settings.mel.frames != 2 * settings.encoder_positions:
        raise CheckpointInvalid(
            f"preprocessor_config.json makes {settings.mel.frames} frames and config.json wants "
            f"{2 * settings.encoder_positions}. Correct chunk_length or max_source_positions."
        )
    return settings


def _refuse_unsupported(config: Mapping[str, Any], name: str) -> None:
    wanted = {"model_type": "whisper", "activation_function": "gelu", "scale_embedding": False}
    wanted |= {"tie_word_embeddings": True}
    for key, value in wanted.items():
        if config.get(key, value) != value:
            raise CheckpointUnsupported(
                f"{name} has {key} = {config[key]!r}, and only {value!r} can be exported. Choose another checkpoint."
            )


def _settings(checkpoint: Checkpoint, config: Mapping[str, Any]) -> WhisperSettings:
    return WhisperSettings(
        mel=_mel(checkpoint.settings("preprocessor_config.json")),
        prompt=_prompt(checkpoint, config["vocab_size"]),
        alignment_heads=_alignment_heads(checkpoint, config["decoder_layers"], config["decoder_attention_heads"]),
        width=config["d_model"],
        encoder_layers=config["encoder_layers"],
        encoder_heads=config["encoder_attention_heads"],
        encoder_positions=config["max_source_positions"],
        decoder_layers=config["decoder_layers"],
        decoder_heads=config["decoder_attention_heads"],
        decoder_positions=config["max_target_positions"],
        vocabulary=config["vocab_size"],
    )


def _alignment_heads(checkpoint: Checkpoint, layers: int, heads: int) -> tuple[tuple[int, int], ...]:
    """Read the heads that the checkpoint names; where it names none, take all of the last half of the layers.

    That is OpenAI's own choice for a model that it has not looked into (openai/whisper, model.py).
    """
    named = checkpoint.settings("generation_config.json").get("alignment_heads") or ()
    if beyond := [pair for pair in named if not (0 <= pair[0] < layers and 0 <= pair[1] < heads)]:
        raise CheckpointInvalid(
            f"generation_config.json of {checkpoint.folder.name} names the alignment head {beyond[0]}, and the decoder "
            f"has {layers} layers of {heads} heads. Correct alignment_heads there, or take it out."
        )
    if named:
        return tuple((int(layer), int(head)) for layer, head in named)
    return tuple((layer, head) for layer in range(layers // 2, layers) for head in range(heads))


def _mel(preprocessor: Mapping[str, Any]) -> MelSettings:
    return MelSettings(
        sample_rate_hz=preprocessor["sampling_rate"],
        window_samples=int(preprocessor["chunk_length"] * preprocessor["sampling_rate"]),
        fft_samples=preprocessor["n_fft"],
        hop_samples=preprocessor["hop_length"],
        mel_bins=preprocessor["feature_size"],
    )


def _prompt(checkpoint: Checkpoint, vocabulary: int) -> Prompt:
    generation = checkpoint.settings("generation_config.json")
    return Prompt(
        start=generation["decoder_start_token_id"],
        languages={token.strip("<|>"): token_id for token, token_id in (generation.get("lang_to_id") or {}).items()},
        tasks=_tasks(generation) if generation.get("lang_to_id") else {},
        no_timestamps=generation["no_timestamps_token_id"],
        no_speech=_no_speech(checkpoint, generation["no_timestamps_token_id"]),
        end_of_text=_only(generation["eos_token_id"]),
        suppress=_inside(generation.get("suppress_tokens"), vocabulary),
        begin_suppress=_inside(generation.get("begin_suppress_tokens"), vocabulary),
    )


def _tasks(generation: Mapping[str, Any]) -> dict[str, int]:
    """Read the tasks, transcription first: it is the default."""
    tasks = generation.get("task_to_id") or {}
    return {"transcribe": tasks["transcribe"], **tasks} if tasks else {}


def _no_speech(checkpoint: Checkpoint, no_timestamps: int) -> int:
    """Find the token by its names; failing that, where transformers' WhisperNoSpeechDetection expects it."""
    added = {token["content"]: token["id"] for token in checkpoint.settings("tokenizer.json").get("added_tokens", [])}
    return next((int(added[name]) for name in NO_SPEECH_NAMES if name in added), no_timestamps - 1)


def _only(token: int | list[int]) -> int:
    return token[0] if isinstance(token, list) else token


def _inside(tokens: list[int] | None, vocabulary: int) -> tuple[int, ...]:
    return tuple(token for token in tokens or () if 0 <= token < vocabulary)
