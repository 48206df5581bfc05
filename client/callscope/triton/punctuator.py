"""Marks and capitals for plain text, from the served token classifier."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np

from callscope.errors import ContractMismatch
from callscope.triton.mark_labels import marks
from callscope.triton.pieces import Piece, cut
from callscope.triton.text_model import TextModel, encode, fetch_logits, fetch_text_model
from callscope.triton.transport import Transport

MODEL = "punctuate"
REQUIRED_LABELS = frozenset({"COMMA", "PERIOD", "QUESTION"})

WESTERN = {"COMMA": ",", "PERIOD": ".", "QUESTION": "?", "EXCLAMATION": "!"}
JAPANESE = {"COMMA": "、", "PERIOD": "。", "QUESTION": "？", "EXCLAMATION": "！"}
MARKS = {"en": WESTERN, "ja": JAPANESE, "ko": WESTERN}
WITHOUT_SPACES = frozenset({"ja"})
"""Languages in which a mark may follow any character; in the others it follows a word."""

SENTENCE_MARK = re.compile(r"[.?!][\"'”’)\]]*(?=\s|$)|[。？！．]")
SENTENCE_START = re.compile(r"(?:^|[.?!]\s+)[\"'“‘(]*[a-z]|(?<!\S)i(?=$|[\s,.?!'’])")
"""In English: the first letter of a sentence, with what stands before it, and the word "i"."""


class Punctuator:
    """Asks the served classifier which mark follows each token."""

    def __init__(self, transport: Transport, model: TextModel, label_marks: Sequence[str]) -> None:
        self._transport = transport
        self.model = model
        self._marks = tuple(label_marks)

    @classmethod
    async def from_server(cls, transport: Transport) -> Punctuator:
        """Read everything the client needs to know from the server.

        Raises:
            ModelMissing: the server serves no `punctuate`, or not its tokenizer.
            ContractMismatch: its labels do not say where a comma, a period and a question mark belong.
        """
        model = await fetch_text_model(transport, MODEL)
        label_marks = marks(model.labels)
        names = ", ".join(model.labels) or "(none)"
        if label_marks is None:
            why = "are not known as marks (the checkpoint's config.json names them, in id2label)"
            raise ContractMismatch(transport.url, MODEL, f"its labels {names} {why}")
        if missing := REQUIRED_LABELS - set(label_marks):
            raise ContractMismatch(transport.url, MODEL, f"its labels {names} lack {', '.join(sorted(missing))}")
        return cls(transport, model, label_marks)

    async def punctuate(self, text: str, language: str) -> str:
        """`text` with the language's marks, and in English with capitals; no other character changes.

        A text that has sentence marks already is given back as it is: the recogniser wrote them.
        """
        if not text.strip() or has_sentence_marks(text):
            return text
        labels: dict[int, str] = {}
        for piece in cut(text, self.model, anywhere=language in WITHOUT_SPACES):
            labels |= piece.owned(await self._labels(text, piece))
        return capitalise(insert_marks(text, labels, language), language)

    async def _labels(self, text: str, piece: Piece) -> dict[int, str]:
        """The label that follows each position of `text` where a token of the piece ends."""
        encoded = encode(self.model, text[piece.start : piece.end])
        logits = await fetch_logits(self._transport, self.model, encoded)
        best = np.argmax(logits[0], axis=-1)
        return {
            piece.start + end: self._marks[int(index)]
            for (start, end), index in zip(encoded.offsets, best, strict=False)
            if end > start
        }


def has_sentence_marks(text: str) -> bool:
    """Whether a sentence ends somewhere in the text; the point of 3.50 ends none."""
    return bool(SENTENCE_MARK.search(text))


def insert_marks(text: str, labels: Mapping[int, str], language: str) -> str:
    """Insert the mark of each label after so many characters of `text`, where the language allows one."""
    signs, anywhere = MARKS.get(language, WESTERN), language in WITHOUT_SPACES
    parts, start = [], 0
    for place, label in sorted(labels.items()):
        if label in signs and may_take_mark(text, place, anywhere=anywhere):
            parts += [text[start:place], signs[label]]
            start = place
    return "".join([*parts, text[start:]])


def may_take_mark(text: str, place: int, *, anywhere: bool) -> bool:
    """Whether a mark may stand before `text[place]`: after a word, and not beside another mark."""
    before, after = text[place - 1 : place], text[place : place + 1]
    ends_word = anywhere or not after or after.isspace()
    return ends_word and not _is_mark_or_space(before) and not (after and unicodedata.category(after) in {"Po", "Mn"})


def capitalise(text: str, language: str) -> str:
    """English: the first letter of each sentence and the word "i" in upper case; other languages as they are."""
    if language != "en":
        return text
    return SENTENCE_START.sub(lambda match: match[0][:-1] + match[0][-1].upper(), text)


def _is_mark_or_space(character: str) -> bool:
    return not character or character.isspace() or unicodedata.category(character).startswith("P")
