"""Segments in JSON: as openai-whisper, faster-whisper and WhisperX write them, or a plain list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from callscope.transcripts.document import Document
from callscope.transcripts.rows import cue_of, known, language_of
from callscope.transcripts.times import seconds
from callscope.transcripts.transcript import Cue, Transcript

Object = Mapping[str, object]


def has_segments(value: Object) -> bool:
    """Whether an object has segments in a list."""
    return isinstance(value.get("segments"), list)


def read(value: Object, document: Document) -> Transcript:
    """An object with `segments`, and perhaps `language` and `duration`.

    Raises:
        TranscriptInvalid: a segment lacks a value.
    """
    listed = value["segments"]
    cues = read_cues(listed if isinstance(listed, list) else [], document)
    return Transcript("whisper", cues, duration_of(value.get("duration")), language_of(value.get("language")))


def read_list(values: Sequence[object], document: Document) -> Transcript:
    """A list of segments.

    Raises:
        TranscriptInvalid: a segment lacks a value.
    """
    return Transcript("segments", read_cues(values, document))


def read_cues(values: Sequence[object], document: Document) -> tuple[Cue, ...]:
    """Each segment as a cue.

    Raises:
        TranscriptInvalid: one lacks a value; it says which.
    """
    return tuple(cue_at(value, f"segment {number}", document) for number, value in enumerate(values, start=1))


def cue_at(value: object, place: str, document: Document) -> Cue:
    """One segment as a cue.

    Raises:
        TranscriptInvalid: it lacks a value.
    """
    if not isinstance(value, Mapping):
        raise document.damaged("this is no object with start, end, speaker and text. Export it again", place)
    try:
        return cue_of(known(value), value.get("words"))
    except ValueError as error:
        raise document.damaged(f"{error}. Export it with the times of every segment", place) from error


def duration_of(value: object) -> float | None:
    """A call's length in seconds; None where it is not told."""
    try:
        return seconds(value)
    except ValueError:
        return None
