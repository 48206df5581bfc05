"""A served text classifier as it describes itself, and text as its graph takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from callscope.errors import ContractMismatch
from callscope.triton.contract import describe
from callscope.triton.tokenizer import fetch_tokenizer
from callscope.triton.transport import Transport

BUCKETS = (16, 32, 64, 128, 256)
"""Lengths that texts are padded to: Triton batches only requests of one shape."""


@dataclass(frozen=True, slots=True)
class TextModel:
    """A served text classifier.

    Attributes:
        name: the served model.
        labels: in the order of the logits.
        max_length: the most tokens of one text, special tokens included.
        tokenizer: text to token ids.
        version: the served version.
        precision: fp32, fp16 or int8.
        source: the checkpoint it was exported from.
        revision: of that checkpoint.
    """

    name: str
    labels: tuple[str, ...]
    max_length: int
    tokenizer: Tokenizer
    version: str
    precision: str
    source: str
    revision: str

    @property
    def max_text_tokens(self) -> int:
        """The most tokens of one text, special tokens not counted."""
        return self.max_length - int(self.tokenizer.num_special_tokens_to_add(is_pair=False))


@dataclass(frozen=True, slots=True)
class EncodedText:
    """Text as the graph takes it.

    Attributes:
        inputs: `input_ids` and `attention_mask`, int64, shape (1, bucket).
        offsets: for each token the characters it stands for; empty for special tokens.
    """

    inputs: Mapping[str, NDArray[np.int64]]
    offsets: tuple[tuple[int, int], ...]


async def fetch_text_model(transport: Transport, name: str) -> TextModel:
    """Read everything the client needs to know of a text classifier.

    Raises:
        ModelMissing: the server does not serve it, or not its tokenizer.
        ContractMismatch: what it serves is not what this client expects.
    """
    description = await describe(transport, name)
    return TextModel(
        name=name,
        labels=tuple(str(label) for label in description.json("labels", list)),
        max_length=description.count("max_length"),
        tokenizer=await fetch_tokenizer(transport, description.text("tokenizer")),
        version=description.version,
        precision=description.text("precision"),
        source=description.text("source"),
        revision=description.text("revision"),
    )


def encode(model: TextModel, text: str) -> EncodedText:
    """Encode a text, cut at the model's length and padded to a bucket."""
    encoding = model.tokenizer.encode(text)
    encoding.truncate(model.max_length)
    length = _bucket(len(encoding.ids), model.max_length)
    return EncodedText(
        {
            "input_ids": _padded(encoding.ids, length, _padding_token(model.tokenizer)),
            "attention_mask": _padded(encoding.attention_mask, length, 0),
        },
        tuple(
            (0, 0) if special else span
            for span, special in zip(encoding.offsets, encoding.special_tokens_mask, strict=True)
        ),
    )


async def fetch_logits(transport: Transport, model: TextModel, encoded: EncodedText) -> NDArray[Any]:
    """What the model makes of a text: a row for the text, or one for each token in it; a column for each label.

    Raises:
        ContractMismatch: there are more columns than labels, or fewer.
    """
    logits = (await transport.infer(model.name, encoded.inputs, outputs=["logits"]))["logits"]
    if logits.shape[-1] != len(model.labels):
        detail = f"it gives {logits.shape[-1]} logits and has {len(model.labels)} labels"
        raise ContractMismatch(transport.url, model.name, detail)
    return logits


def softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Probabilities from logits, over the last axis."""
    exponents = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=-1, keepdims=True), np.float64)


def _bucket(count: int, max_length: int) -> int:
    return min([bucket for bucket in BUCKETS if bucket >= count] + [max_length])


def _padded(values: list[int], length: int, filler: int) -> NDArray[np.int64]:
    return np.array([values + [filler] * (length - len(values))], np.int64)


def _padding_token(tokenizer: Tokenizer) -> int:
    known = (tokenizer.token_to_id(name) for name in ("[PAD]", "<pad>", "<|pad|>"))
    return next((token for token in known if token is not None), 0)
