"""Marks and capitals for plain text, from the served token classifier."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np

from callscope.errors import ContractMismatch
from callscope.triton import heads as several
from callscope.triton.heads import Heads, fetch_heads
from callscope.triton.mark_labels import marks
from callscope.triton.marks import WITHOUT_SPACES
from callscope.triton.pieces import Piece, cut
from callscope.triton.text_model import TextModel, encode, fetch_logits, fetch_text_model
from callscope.triton.transport import Transport
from callscope.triton.written import Punctuated, Said, write

Value = TypeVar("Value")

MODEL = "punctuate"
REQUIRED_MARKS = frozenset({"COMMA", "PERIOD", "QUESTION"})

SENTENCE_MARK = re.compile(r"[.?!][\"'”’)\]]*(?=\s|$)|[。？！．]")
SENTENCE_START = re.compile(r"(?:^|[.?!]\s+)[\"'“‘(]*[a-z]|(?<!\S)i(?=$|[\s,.?!'’])")
"""In English: the first letter of a sentence, with what stands before it, and the word "i"."""


class Punctuator:
    """Asks the served classifier which mark follows each token, and what else it knows of it.

    Args:
        transport: to the server.
        model: the served classifier.
        heads: what it says of a token, where that is more than one label.
    """

    def __init__(self, transport: Transport, model: TextModel, heads: Heads | None = None) -> None:
        self._transport = transport
        self.model = model
        self._heads = heads

    @classmethod
    async def from_server(cls, transport: Transport) -> Punctuator:
        """Read everything the client needs to know from the server.

        Raises:
            ModelMissing: the server serves no `punctuate`, or not its tokenizer.
            ContractMismatch: its labels do not say where a comma, a period and a question mark belong, or its heads
                are not understood.
        """
        model = await fetch_text_model(transport, MODEL)
        names = ", ".join(model.labels) or "(none)"
        if (meant := marks(model.labels)) is None:
            why = "are not known as marks (the checkpoint's config.json names them, in id2label)"
            raise ContractMismatch(transport.url, MODEL, f"its labels {names} {why}")
        if missing := REQUIRED_MARKS - set(meant):
            raise ContractMismatch(transport.url, MODEL, f"its labels {names} lack {', '.join(sorted(missing))}")
        return cls(transport, model, await fetch_heads(transport, model))

    async def punctuate(self, text: str, language: str) -> str:
        """The text of `mark`."""
        return (await self.mark(text, language)).text

    async def mark(self, text: str, language: str) -> Punctuated:
        """`text` with the language's marks, and with capitals; no other character changes.

        Capitals are those of the model, or in English of a rule where the model says nothing of them. A text that has
        sentence marks already is given back as it is: the recogniser wrote them.
        """
        if not text.strip() or has_sentence_marks(text):
            return Punctuated(text)
        restore_case = self._heads is not None and self._heads.restore_case
        read = lower(text) if restore_case else text
        found = Said()
        for piece in cut(read, self.model, anywhere=language in WITHOUT_SPACES):
            found |= _owned(piece, await self._said(read[piece.start : piece.end]))
        written = write(text, found, language)
        return written if restore_case else replace(written, text=capitalise(written.text, language))

    async def _said(self, text: str) -> Said:
        encoded = encode(self.model, text)
        if self._heads is None:
            logits = await fetch_logits(self._transport, self.model, encoded)
            best = np.argmax(logits[0], axis=-1)
            pairs = zip(encoded.offsets, best, strict=False)
            return Said({end: self.model.labels[int(index)] for (start, end), index in pairs if end > start})
        answer = await self._transport.infer(self.model.name, encoded.inputs, outputs=self._heads.names)
        if problem := several.problem(answer, self.model, self._heads):
            raise ContractMismatch(self._transport.url, self.model.name, problem)
        return several.said(text, encoded, answer, self.model, self._heads)


def lower(text: str) -> str:
    """`text` in lower case, character by character; one that would become two stays."""
    return "".join(low if len(low := character.lower()) == 1 else character for character in text)


def has_sentence_marks(text: str) -> bool:
    """Whether a sentence ends somewhere in the text; the point of 3.50 ends none."""
    return bool(SENTENCE_MARK.search(text))


def insert_marks(text: str, labels: Mapping[int, str], language: str) -> str:
    """Insert the mark of each label after so many characters of `text`, where the language allows one."""
    return write(text, Said(labels), language).text


def capitalise(text: str, language: str) -> str:
    """English: the first letter of each sentence and the word "i" in upper case; other languages as they are."""
    if language != "en":
        return text
    return SENTENCE_START.sub(lambda match: match[0][:-1] + match[0][-1].upper(), text)


def _owned(piece: Piece, found: Said) -> Said:
    """What is said of a piece, by its places in the whole text, where this piece is heard."""

    def own(values: Mapping[int, Value]) -> dict[int, Value]:
        return piece.owned({piece.start + place: value for place, value in values.items()})

    return Said(own(found.after), own(found.before), own(found.upper), own(found.boundary))
