"""tokenizer.json made of the files that older checkpoints have instead: vocab.json, merges.txt, added_tokens.json."""

import json
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from .errors import CheckpointInvalid

FILES = ("vocab.json", "merges.txt")
ADDED = "added_tokens.json"
SPECIAL = "special_tokens_map.json"


def can_build(folder: Path) -> bool:
    """Tell whether a checkpoint has what a tokenizer is made of."""
    return all((folder / name).is_file() for name in FILES)


def build_tokenizer(folder: Path) -> bytes:
    """Make tokenizer.json of byte-level BPE, as transformers' WhisperConverter does, without its prompt.

    Raises:
        CheckpointInvalid: The files cannot be understood, or give a token another id than they say.
    """
    try:
        added = _json(folder / ADDED)
        model = models.BPE.from_file(*(str(folder / name) for name in FILES))
        tokenizer: Any = Tokenizer(model)
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        _add(tokenizer, added, _special(folder))
    except Exception as error:  # tokenizers raises nothing narrower
        raise CheckpointInvalid(
            f"{folder} has no tokenizer.json, and none can be made of {', '.join(FILES)} ({error}). "
            "Save the tokenizer with `WhisperTokenizerFast.save_pretrained` of transformers."
        ) from error
    if moved := [token for token, number in added.items() if tokenizer.token_to_id(token) != number]:
        raise CheckpointInvalid(
            f"{ADDED} of {folder} gives {moved[0]} the id {added[moved[0]]}, and {tokenizer.token_to_id(moved[0])} is "
            "the next that is free. Fetch vocab.json and added_tokens.json again."
        )
    return str(tokenizer.to_str()).encode()


def _add(tokenizer: Any, added: dict[str, int], special: set[str]) -> None:  # noqa: ANN401  without types
    """Add tokens in the order of their ids, which is what gives them these; then those of the vocabulary itself."""
    for token in sorted(added, key=added.__getitem__):
        entry = AddedToken(token, normalized=False, special=token in special)
        (tokenizer.add_special_tokens if token in special else tokenizer.add_tokens)([entry])
    known = [token for token in sorted(special - set(added)) if tokenizer.token_to_id(token) is not None]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in known])


def _special(folder: Path) -> set[str]:
    """Name the tokens that are no text: those of special_tokens_map.json."""
    names: set[str] = set()
    for value in _json(folder / SPECIAL).values():
        for token in value if isinstance(value, list) else [value]:
            names.add(token["content"] if isinstance(token, dict) else token)
    return names or {"<|endoftext|>"}


def _json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
