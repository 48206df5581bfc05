"""What SubRip and WebVTT share: a line of times, and what else may look like one.

pysubs2 and webvtt-py read well-made files, and are what the tests compare with. Of damaged ones they give back less
without a word (a cue whose times cannot be read becomes part of the text before it, or is gone), which would measure
another conversation than the one that was held.
"""

from __future__ import annotations

import re

from callscope.transcripts.document import Document
from callscope.transcripts.times import seconds

TIME = r"-?(?:\d+:)?\d{1,3}:\d{1,2}(?:[.,]\d{1,9})?"
TIMES = re.compile(rf"\s*({TIME})\s*-->\s*({TIME})(?:\s+\S.*)?\s*", re.ASCII)
ALMOST_TIMES = re.compile(r"\s*-?\d+[:.,]\d\S*\s*(?:[-–—=]*>|→|[-–—]{1,3}\s)\s*\S*\d\S*.*")
LONGEST = 200
"""No line of times is longer."""


def times_of(line: str, document: Document, number: int) -> tuple[float, float] | None:
    """Start and end that a line gives, in seconds; None for a line that is no line of times.

    Raises:
        TranscriptInvalid: it is meant to be one and is damaged.
    """
    found = TIMES.fullmatch(line) if len(line) <= LONGEST else None
    if not found:
        if "-->" in line or (len(line) <= LONGEST and ALMOST_TIMES.fullmatch(line)):
            problem = f"the times {line.strip()[:60]!r} are damaged. Write them as 00:00:01,000 --> 00:00:02,500"
            raise document.damaged(problem, f"line {number}")
        return None
    try:
        start_s, end_s = seconds(found[1]), seconds(found[2])
    except ValueError as error:
        raise document.damaged(f"a time {error}. Correct that line", f"line {number}") from error
    if end_s < start_s:
        raise document.damaged("the caption ends before it begins. Correct its times", f"line {number}")
    return start_s, end_s
