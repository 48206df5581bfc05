"""The conversation as plain text, a line a segment: time, speaker, words."""

from __future__ import annotations

from callscope.call import Call
from callscope.report.times import clock


def write(call: Call) -> str:
    """The conversation, oldest first. A call without speech says so."""
    labels = speaker_labels(call)
    width = max((len(label) for label in labels.values()), default=0)
    lines = [
        f"{clock(segment.start_s):>7}  {labels[segment.speaker]:<{width}}  {' '.join(segment.text.split())}"
        for segment in call.segments
    ]
    return "\n".join(lines or ["No speech."]) + "\n"


def speaker_labels(call: Call) -> dict[str, str]:
    """Speaker id -> what to call the speaker: the role; the id where the role is unknown or shared."""
    roles = [speaker.role for speaker in call.speakers]
    return {
        speaker.id: speaker.role.capitalize()
        if speaker.role != "unknown" and roles.count(speaker.role) == 1
        else speaker.id
        for speaker in call.speakers
    }
