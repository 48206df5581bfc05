"""A punctuation model of several heads: what they say of each token, as the server describes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from callscope.triton.contract import describe
from callscope.triton.mark_labels import ACRONYM, mark_of
from callscope.triton.text_model import EncodedText, TextModel
from callscope.triton.transport import Transport
from callscope.triton.written import Said

AFTER, BEFORE, UPPER, BOUNDARY = "after", "before", "upper", "boundary"
KNOWN = (AFTER, BEFORE, UPPER, BOUNDARY)
SPACE = "▁"
"""What SentencePiece writes for the space before a word; a head that judges characters counts it."""

Answer = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Heads:
    """The heads of a model.

    Attributes:
        names: the outputs to ask for, `after` among them.
        before_labels: what the numbers of `before` mean; those of `after` are the model's labels.
    """

    names: tuple[str, ...]
    before_labels: tuple[str, ...]

    @property
    def restore_case(self) -> bool:
        """Whether they say which characters are capitals; such a model reads lower case."""
        return UPPER in self.names


async def fetch_heads(transport: Transport, model: TextModel) -> Heads | None:
    """The heads that the server names in the parameter `heads`; None for a model that has one, and gives `logits`.

    Raises:
        ContractMismatch: the parameter cannot be read, or there is no `after` among them.
    """
    description = await describe(transport, model.name)
    if "heads" not in description.parameters:
        return None
    named = tuple(str(name) for name in description.json("heads", list))
    if AFTER not in named:
        raise description.mismatch(f"its heads {json.dumps(named)} lack {AFTER!r}")
    names = tuple(name for name in KNOWN if name in named)
    labels = description.json("before_labels", list) if BEFORE in names else []
    return Heads(names, tuple(str(label) for label in labels))


def problem(answer: Answer, model: TextModel, heads: Heads) -> str:
    """What is wrong with an answer, empty where nothing is."""
    counts = {AFTER: len(model.labels), BEFORE: len(heads.before_labels)}
    for name, count in counts.items():
        if name in answer and (answer[name].min() < 0 or answer[name].max() >= count):
            return f"{name} holds {int(answer[name].max())} and has {count} labels"
    return ""


def said(text: str, encoded: EncodedText, answer: Answer, model: TextModel, heads: Heads) -> Said:
    """What the heads say of `text`, which is what was encoded."""
    after: dict[int, str] = {}
    before: dict[int, str] = {}
    upper: dict[int, bool] = {}
    boundary: dict[int, bool] = {}
    for index, (first, end) in enumerate(_words(text, encoded.offsets)):
        if end <= first:
            continue
        label = model.labels[int(answer[AFTER][0, index])]
        after |= dict.fromkeys(range(first + 1, end) if mark_of(label) == ACRONYM else (), label) | {end: label}
        if BEFORE in heads.names:
            before[first + 1] = heads.before_labels[int(answer[BEFORE][0, index])]
        if UPPER in heads.names:
            token = model.tokenizer.id_to_token(int(encoded.inputs["input_ids"][0, index])) or ""
            upper |= _capitals(token, range(first + 1, end + 1), answer[UPPER][0, index])
        if BOUNDARY in heads.names:
            boundary[end] = bool(answer[BOUNDARY][0, index])
    return Said(after, before, upper, boundary)


def _words(text: str, offsets: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The characters that each token stands for, without the space that some tokenizers count to a word."""
    return [(end - len(text[start:end].lstrip()), end) for start, end in offsets]


def _capitals(token: str, places: range, slots: NDArray[Any]) -> dict[int, bool]:
    """Which characters of a token are capitals; none of a token that was read in another form than it is written."""
    letters = token.removeprefix(SPACE)
    if len(letters) != len(places):
        return {}
    return dict(zip(places, map(bool, slots[len(token) - len(letters) :]), strict=False))
