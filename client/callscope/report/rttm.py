"""NIST's Rich Transcription Time Marked lines: who spoke when, for diarization tools (pyannote, dscore)."""

from __future__ import annotations

import re
from pathlib import PurePath

from callscope.call import Call
from callscope.report.times import floor_ms


def write(call: Call) -> str:
    """A line of ten fields a segment; fields hold no spaces. A call without speech has no lines."""
    name = re.sub(r"\s+", "_", PurePath(call.recording.source).stem) or call.recording.id
    lines = []
    for segment in call.segments:
        start_s = floor_ms(segment.start_s)
        length_s = floor_ms(segment.end_s) - start_s
        fields = ("SPEAKER", name, segment.channel + 1, f"{start_s:.3f}", f"{length_s:.3f}")
        lines.append(" ".join(map(str, (*fields, "<NA>", "<NA>", segment.speaker, "<NA>", "<NA>"))) + "\n")
    return "".join(lines)
