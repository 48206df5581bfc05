"""JSON Lines (.jsonl): a result of Callscope a line, or a segment a line."""

from __future__ import annotations

from callscope.transcripts import own
from callscope.transcripts.document import Document
from callscope.transcripts.json import parse
from callscope.transcripts.segments import cue_at
from callscope.transcripts.transcript import Transcript


def read(document: Document) -> tuple[Transcript, ...]:
    """As many calls as there are results; or one call, whose segments are the lines.

    Raises:
        TranscriptInvalid: a line is no JSON, lacks a value, or is of the other kind than the first.
    """
    lines = [
        (f"line {number}", parse(line, document, f"line {number}"))
        for number, line in enumerate(document.text.split("\n"), start=1)
        if line.strip()
    ]
    results = [own.is_own(value) for _, value in lines]
    if any(results):
        odd = next((place for (place, _), result in zip(lines, results, strict=True) if not result), None)
        if odd:
            raise document.damaged("this is no result, as other lines are. Give segments a file of their own", odd)
        return tuple(own.read(value, document) for _, value in lines if isinstance(value, dict))
    return (Transcript("segments", tuple(cue_at(value, place, document) for place, value in lines)),)
