"""What an export needs to know of a Whisper checkpoint, read from its settings and nowhere else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .checkpoint import Checkpoint, Weights
from .errors import CheckpointInvalid, CheckpointUnsupported, LanguageUnknown
from .progress import Progress, silent
from .prompt_tokens import Prompt, read_prompt

MOST_TOKENS = 224
"""Whisper's own limit of text tokens in a window: half of its text context (openai/whisper, decoding.py)."""

EXTRACTOR = {"sampling_rate": 16_000, "chunk_length": 30, "n_fft": 400, "hop_length": 160}
"""What WhisperFeatureExtractor of transformers takes where a checkpoint does not say."""
TABLE, SCORES = "decoder.embed_tokens.weight", "proj_out.weight"
"""One array: tied embeddings are saved under either name, or both."""


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

    def speaking(self, languages: Sequence[str]) -> "WhisperSettings":
        """Leave only some languages to be detected and served; all where none is named.

        Raises:
            LanguageUnknown: The checkpoint does not know one of them.
        """
        known = self.prompt.known_languages or {"en": -1}
        if unknown := [code for code in languages if code not in known]:
            raise LanguageUnknown(
                f"The checkpoint does not know the language {unknown[0]!r}. Choose among {', '.join(known)}."
            )
        if not languages or not self.prompt.languages:
            return self
        chosen = {code: token for code, token in known.items() if code in languages}
        return replace(self, prompt=replace(self.prompt, languages=chosen))


def whisper_weights(checkpoint: Checkpoint) -> Weights:
    """Open a checkpoint's weights, with the names of `WhisperModel`."""
    return checkpoint.weights("model.", same={SCORES: TABLE})


def read_whisper(checkpoint: Checkpoint, note: Progress = silent) -> WhisperSettings:
    """Read a checkpoint's settings, and note those that are not taken as they are.

    Raises:
        CheckpointInvalid: A setting is missing, or two of them contradict each other.
        CheckpointUnsupported: It is no Whisper model, or one with a setting the graphs do not cover.
    """
    config = checkpoint.config
    _refuse_unsupported(config, checkpoint.folder.name)
    try:
        settings = _settings(checkpoint, config, note)
    except KeyError as error:
        raise CheckpointInvalid(
            f"The settings in {checkpoint.folder} have no {error}. "
            "Take the generation_config.json and preprocessor_config.json of the model it was made from."
        ) from error
    _refuse_contradictions(settings, config)
    return settings


def _refuse_contradictions(settings: WhisperSettings, config: Mapping[str, Any]) -> None:
    if settings.mel.mel_bins != config.get("num_mel_bins", settings.mel.mel_bins):
        raise CheckpointInvalid(
            f"preprocessor_config.json makes {settings.mel.mel_bins} mel bins and config.json wants "
            f"{config['num_mel_bins']}. Correct feature_size or num_mel_bins."
        )
    if settings.mel.frames != 2 * settings.encoder_positions:
        raise CheckpointInvalid(
            f"preprocessor_config.json makes {settings.mel.frames} frames and config.json wants "
            f"{2 * settings.encoder_positions}. Correct chunk_length or max_source_positions."
        )


def _refuse_unsupported(config: Mapping[str, Any], name: str) -> None:
    wanted = {"model_type": "whisper", "activation_function": "gelu", "scale_embedding": False}
    wanted |= {"tie_word_embeddings": True}
    for key, value in wanted.items():
        if config.get(key, value) != value:
            raise CheckpointUnsupported(
                f"{name} has {key} = {config[key]!r}, and only {value!r} can be exported. Choose another checkpoint."
            )


def _settings(checkpoint: Checkpoint, config: Mapping[str, Any], note: Progress) -> WhisperSettings:
    generation = _generation(checkpoint, config)
    layers, heads = config["decoder_layers"], config["decoder_attention_heads"]
    return WhisperSettings(
        mel=_mel({**EXTRACTOR, "feature_size": config["num_mel_bins"], **_extractor(checkpoint)}),
        prompt=read_prompt(generation, checkpoint.added_tokens, config["vocab_size"], note),
        alignment_heads=_alignment_heads(generation, layers, heads, note),
        width=config["d_model"],
        encoder_layers=config["encoder_layers"],
        encoder_heads=config["encoder_attention_heads"],
        encoder_positions=config["max_source_positions"],
        decoder_layers=config["decoder_layers"],
        decoder_heads=config["decoder_attention_heads"],
        decoder_positions=config["max_target_positions"],
        vocabulary=config["vocab_size"],
    )


def _generation(checkpoint: Checkpoint, config: Mapping[str, Any]) -> dict[str, Any]:
    """Read generation_config.json, or what config.json holds of it where there is none, as transformers does.

    `forced_decoder_ids` is not taken from there: OpenAI's multilingual checkpoints force English in config.json, and
    say in generation_config.json that the language is to be detected.
    """
    name = "generation_config.json"
    if checkpoint.has(name):
        return checkpoint.settings(name)
    inherited = ("decoder_start_token_id", "eos_token_id", "suppress_tokens", "begin_suppress_tokens")
    return {key: config[key] for key in inherited if config.get(key) is not None}


def _extractor(checkpoint: Checkpoint) -> dict[str, Any]:
    """Read the feature extractor's settings; newer checkpoints keep them in processor_config.json."""
    name, newer = "preprocessor_config.json", "processor_config.json"
    if checkpoint.has(newer) and not checkpoint.has(name):
        found = checkpoint.settings(newer).get("feature_extractor") or {}
    else:
        found = checkpoint.settings(name)
    return {key: value for key, value in found.items() if value is not None}


def _alignment_heads(
    generation: Mapping[str, Any], layers: int, heads: int, note: Progress
) -> tuple[tuple[int, int], ...]:
    """Read the heads that the checkpoint names; where it names none, take all of the last half of the layers.

    That is OpenAI's own choice for a model that it has not looked into (openai/whisper, model.py). A model distilled
    from another may still name that one's heads, which says nothing about its own.
    """
    named = generation.get("alignment_heads") or ()
    if beyond := [pair for pair in named if not (0 <= pair[0] < layers and 0 <= pair[1] < heads)]:
        note(
            f"alignment_heads names {beyond[0]}, and the decoder has {layers} layers of {heads} heads: word times "
            "follow all heads of the last half of the layers"
        )
    elif named:
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
