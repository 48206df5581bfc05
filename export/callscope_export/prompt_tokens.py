"""Whisper's special tokens: read from generation_config.json, and derived from the vocabulary where that is silent.

Checkpoints older than mid-2023, and fine-tunes of them, have no `lang_to_id`, `task_to_id` or `no_timestamps_token_id`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import CheckpointInvalid
from .language_names import LANGUAGE_CODES
from .progress import Progress

NO_SPEECH_NAMES = ("<|nospeech|>", "<|nocaptions|>")
TASKS = ("transcribe", "translate")
ENGLISH_ONLY_VOCABULARY = 51_864
"""Whose tokenizer names languages all the same (openai/whisper-*.en)."""

_LANGUAGE = re.compile(r"<\|([a-z]{2,3})\|>")


@dataclass(frozen=True, slots=True)
class Prompt:
    """The special tokens.

    Attributes:
        start: The first token of every prompt.
        languages: Token id by language code, those to detect; empty for an English-only checkpoint.
        tasks: Token id by task name, the default first; empty for an English-only checkpoint.
        no_timestamps: The token that ends the prompt.
        no_speech: The token whose probability after `start` says that nobody speaks.
        end_of_text: The token that ends a transcript.
        suppress: Tokens that are never chosen.
        begin_suppress: Tokens that are not chosen first.
        known_languages: Token id by language code, all that the checkpoint knows.
    """

    start: int
    languages: Mapping[str, int]
    tasks: Mapping[str, int]
    no_timestamps: int
    no_speech: int
    end_of_text: int
    suppress: tuple[int, ...]
    begin_suppress: tuple[int, ...]
    known_languages: Mapping[str, int] = field(default_factory=dict)

    @property
    def length(self) -> int:
        """Tokens before the first of the text."""
        return 2 + bool(self.languages) + bool(self.tasks)


def read_prompt(generation: Mapping[str, Any], added: Mapping[str, int], vocabulary: int, note: Progress) -> Prompt:
    """Read the special tokens.

    Args:
        generation: The settings of generation_config.json.
        added: The tokenizer's added tokens with their ids.
        vocabulary: How many tokens the model knows.
        note: Is told of a language that the checkpoint forces.

    Raises:
        CheckpointInvalid: A token is named nowhere.
        KeyError: A task is missing among those that are named.
    """
    known = _languages(generation, added, vocabulary)
    tasks = _tasks(generation, added) if known else {}
    no_timestamps = _token(generation, "no_timestamps_token_id", "<|notimestamps|>", added)
    no_speech = next((added[name] for name in NO_SPEECH_NAMES if name in added), no_timestamps - 1)
    return Prompt(
        start=_token(generation, "decoder_start_token_id", "<|startoftranscript|>", added),
        languages=_forced_language(generation, known, note),
        tasks=tasks,
        no_timestamps=no_timestamps,
        no_speech=no_speech,  # failing its names, where transformers' WhisperNoSpeechDetection expects it
        end_of_text=_token(generation, "eos_token_id", "<|endoftext|>", added),
        suppress=_inside(generation.get("suppress_tokens"), vocabulary),
        begin_suppress=_inside(generation.get("begin_suppress_tokens"), vocabulary),
        known_languages=known,
    )


def _token(generation: Mapping[str, Any], key: str, name: str, added: Mapping[str, int]) -> int:
    value = generation.get(key)
    if isinstance(value, list) and value:
        value = value[0]
    value = added.get(name) if value is None else value
    if not isinstance(value, int):
        raise CheckpointInvalid(
            f"generation_config.json has no {key}, and the tokenizer no {name}. "
            "Take the generation_config.json and tokenizer.json of the model it was made from."
        )
    return value


def _languages(generation: Mapping[str, Any], added: Mapping[str, int], vocabulary: int) -> dict[str, int]:
    """Read the languages, or find their tokens; none where the checkpoint is English-only."""
    named, stated = generation.get("lang_to_id"), generation.get("is_multilingual")
    if stated is False or (stated is None and named is None and vocabulary == ENGLISH_ONLY_VOCABULARY):
        return {}
    tokens = named or {token: number for token, number in added.items() if _LANGUAGE.fullmatch(token)}
    return {token.strip("<|>"): number for token, number in tokens.items() if number < vocabulary}


def _tasks(generation: Mapping[str, Any], added: Mapping[str, int]) -> dict[str, int]:
    """Read the tasks, the default first: what the checkpoint is set to, else transcription."""
    tasks = generation.get("task_to_id")
    if tasks is None:
        tasks = {name: added[f"<|{name}|>"] for name in TASKS if f"<|{name}|>" in added}
    if not tasks:
        return {}
    forced = {token for _, token in generation.get("forced_decoder_ids") or ()}
    set_to = [generation.get("task"), *(name for name, number in tasks.items() if number in forced)]
    default = next((name for name in set_to if name in tasks), "transcribe")
    return {default: tasks[default], **tasks}


def _forced_language(generation: Mapping[str, Any], known: Mapping[str, int], note: Progress) -> Mapping[str, int]:
    """Keep the one language that generation_config.json asks for, as transformers does; all where it asks for none."""
    forced = {token for _, token in generation.get("forced_decoder_ids") or ()}
    wanted = str(generation.get("language") or "").strip("<|>").lower()
    wanted = LANGUAGE_CODES.get(wanted, wanted)
    codes = [code for code, token in known.items() if wanted == code or (not wanted and token in forced)]
    if not codes:
        return known
    note(f"generation_config.json asks for the language {codes[0]}: it alone is served unless languages are named")
    return {codes[0]: known[codes[0]]}


def _inside(tokens: list[int] | None, vocabulary: int) -> tuple[int, ...]:
    return tuple(token for token in tokens or () if 0 <= token < vocabulary)
