"""Transcripts in JSON (.json): told apart by what they hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from callscope.transcripts import amazon, contact_lens, own, segments
from callscope.transcripts.document import Document
from callscope.transcripts.transcript import Transcript

KNOWN = (
    "Callscope's own results, segments as Whisper and WhisperX write them, a list of objects with start, end, speaker "
    "and text, and what Amazon Transcribe and Contact Lens write are read"
)


def read(document: Document) -> tuple[Transcript, ...]:
    """The transcript of one call.

    Raises:
        TranscriptInvalid: it is no JSON, of no known form, or lacks a value.
    """
    return (transcript_of(parse(document.text, document), document),)


def parse(text: str, document: Document, place: str = "") -> object:
    """The value that a JSON text holds.

    Raises:
        TranscriptInvalid: it is no JSON.
    """
    try:
        value: object = json.loads(text)
    except json.JSONDecodeError as error:
        where = place or f"line {error.lineno}"
        raise document.damaged(f"this is no JSON ({error.msg}). Export it again", where) from error
    except (ValueError, RecursionError) as error:
        raise document.damaged("this is no JSON that can be read. Export it again", place) from error
    return value


def transcript_of(value: object, document: Document) -> Transcript:
    """What a value says, by the form that it has.

    Raises:
        TranscriptInvalid: of no known form, or one that lacks a value.
    """
    if isinstance(value, Sequence) and not isinstance(value, str):
        return segments.read_list(value, document)
    if isinstance(value, Mapping):
        for is_form, read_form in FORMS:
            if is_form(value):
                return read_form(value, document)
    raise document.damaged(f"this JSON is no transcript that is known. {KNOWN}")


FORMS = (
    (own.is_own, own.read),
    (amazon.is_amazon, amazon.read),
    (contact_lens.is_contact_lens, contact_lens.read),
    (segments.has_segments, segments.read),
)
"""How each form of object is known, and what reads it; the first that fits."""
