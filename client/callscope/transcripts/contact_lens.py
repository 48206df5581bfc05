"""What Contact Lens for Amazon Connect writes: `Transcript`, a list of turns in milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from callscope.transcripts.document import Document
from callscope.transcripts.rows import language_of
from callscope.transcripts.segments import duration_of, read_cues
from callscope.transcripts.transcript import Transcript

MS_PER_S = 1000
Object = Mapping[str, object]


def is_contact_lens(value: Object) -> bool:
    """Whether an object has Contact Lens' turns."""
    return isinstance(value.get("Transcript"), list)


def read(value: Object, document: Document) -> Transcript:
    """The turns, and the participants' roles.

    Raises:
        TranscriptInvalid: a turn lacks a value.
    """
    listed = value["Transcript"]
    cues = read_cues(listed if isinstance(listed, list) else [], document)
    roles = dict(_roles(value.get("Participants")))
    length = value.get("ConversationCharacteristics")
    length_ms = duration_of(length.get("TotalConversationDurationMillis")) if isinstance(length, Mapping) else None
    return Transcript(
        "contact-lens",
        tuple(replace(cue, role=cue.role or roles.get(cue.speaker or "")) for cue in cues),
        None if length_ms is None else length_ms / MS_PER_S,
        language_of(value.get("LanguageCode")),
    )


def _roles(participants: object) -> list[tuple[str, str]]:
    listed = participants if isinstance(participants, list) else []
    return [
        (str(one.get("ParticipantId")), str(one["ParticipantRole"]))
        for one in listed
        if isinstance(one, Mapping) and one.get("ParticipantRole")
    ]
