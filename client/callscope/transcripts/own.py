"""Callscope's own results, read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

from callscope.call import Role, RoleSource, Speaker
from callscope.transcripts.document import Document
from callscope.transcripts.rows import channel_of, language_of, number_of
from callscope.transcripts.segments import cue_at, duration_of
from callscope.transcripts.transcript import Cue, Transcript

VERSION = "1."
Object = Mapping[str, object]


def is_own(value: object) -> bool:
    """Whether a value is a result of Callscope."""
    return isinstance(value, Mapping) and {"schema_version", "call", "segments"} <= set(value)


def read(value: Object, document: Document) -> Transcript:
    """The words, times, speakers and roles of a result; what was worked out from them is worked out again.

    Raises:
        TranscriptInvalid: it is of another version, or lacks a value.
    """
    if not str(value["schema_version"]).startswith(VERSION):
        problem = f"this is a result of schema {str(value['schema_version'])[:20]}, and {VERSION}x is read"
        raise document.damaged(f"{problem}. Analyse the recording again")
    call, listed = _object(value["call"]), value["segments"]
    rate_hz = call.get("sample_rate")
    return Transcript(
        "callscope",
        tuple(_cue(each, number, document) for number, each in enumerate(_list(listed), start=1)),
        duration_of(call.get("duration")),
        language_of(call.get("language")),
        speakers=tuple(_speaker(each) for each in map(_object, _list(value.get("speakers"))) if each.get("id")),
        metadata=_metadata(call),
        sample_rate_hz=rate_hz if isinstance(rate_hz, int) and rate_hz > 0 else None,
    )


def _cue(value: object, number: int, document: Document) -> Cue:
    cue, fields = cue_at(value, f"segment {number}", document), _object(value)
    doubts = tuple(sorted({one for one in _list(fields.get("doubts")) if isinstance(one, str)} & DOUBTS))
    raw_text = fields.get("raw_text")
    return replace(
        cue,
        raw_text=raw_text if isinstance(raw_text, str) else None,
        figures=replace(
            cue.figures,
            doubts=doubts,
        ),
    )


def _speaker(value: Object) -> Speaker:
    role, source = value.get("role"), value.get("role_source")
    known = role in ("agent", "customer") and source in get_args(RoleSource)
    return Speaker(
        id=str(value["id"]),
        role=_one_of(role) if known else "unknown",
        role_source=next((one for one in get_args(RoleSource) if one == source), None) if known else None,
        role_confidence=number_of(value.get("role_confidence"), 0, 1) if known else None,
        channel=channel_of(value.get("channel")),
    )


def _one_of(role: object) -> Role:
    return "agent" if role == "agent" else "customer"


def _metadata(call: Object) -> Mapping[str, str]:
    own = {str(name): text for name, text in _object(call.get("metadata")).items() if isinstance(text, str)}
    recording = call.get("source")
    return {**own, "recording": recording} if isinstance(recording, str) else own


def _object(value: object) -> Object:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


DOUBTS = frozenset({"repetition", "loop", "improbable", "too_fast", "cut_off", "no_speech"})
"""Those of the schema."""
