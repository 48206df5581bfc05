"""Who spoke when (.rttm), with the words in the text of the same name (.txt) beside it.

A text has a line for each stretch, in order of start. A text of one line is spread over the stretches by their lengths:
who said which words is then worked out, and the result says so.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from callscope.transcripts.document import Document, read_document
from callscope.transcripts.transcript import Cue, Transcript
from callscope_preprocessing.rttm import RttmInvalid, read_rttm
from callscope_preprocessing.speakers import SpeakerTurn

MOST_CHARACTERS = 300
"""Of what is said of a damaged line, which may be long."""


def read(document: Document) -> tuple[Transcript, ...]:
    """The stretches of one call with their words.

    Raises:
        TranscriptInvalid: there is no text beside it, one with another number of lines, or no or several calls.
    """
    turns = _turns(document)
    beside = document.path.with_suffix(".txt")
    if not beside.is_file():
        raise document.damaged(f"it says who spoke when, and not what. Put the words in {beside.name} beside it")
    lines = [line.strip() for line in read_document(beside, document.encoding).text.splitlines() if line.strip()]
    if len(lines) not in (1, len(turns)):
        problem = f"{beside.name} has {len(lines)} lines for {len(turns)} stretches of speech"
        raise document.damaged(f"{problem}. Give it a line for each, in order of start, or one line for all")
    spread = len(lines) != len(turns)
    texts = _spread(lines[0], turns) if spread else lines
    cues = [Cue(one.span.start_s, one.span.end_s, text, one.speaker) for one, text in zip(turns, texts, strict=True)]
    return (Transcript("rttm", tuple(cues), spread=spread),)


def _turns(document: Document) -> Sequence[SpeakerTurn]:
    try:
        calls = read_rttm(document.path)
    except RttmInvalid as error:
        problem = str(error).replace(f" of {document.path}", "").removesuffix(".")
        raise document.damaged(problem[:MOST_CHARACTERS]) from error
    if len(calls) != 1:
        found = f"{len(calls)} recordings" if calls else "no speech"
        raise document.damaged(f"it holds {found}. Give each call a file of its own")
    return next(iter(calls.values()))


def _spread(text: str, turns: Sequence[SpeakerTurn]) -> list[str]:
    """Parts of a text, of as many letters as each stretch's share of all speech; words, where there are, stay whole."""
    space = " " if " " in text else ""
    units = text.split() if space else list(text)
    ends_s = list(accumulate(turn.span.duration_s for turn in turns))
    letters = list(accumulate(map(len, units)))
    parts: list[list[str]] = [[] for _ in turns]
    for unit, end in zip(units, letters, strict=True):
        middle_s = (end - len(unit) / 2) / letters[-1] * ends_s[-1]
        parts[min(bisect_right(ends_s, middle_s), len(turns) - 1)].append(unit)
    return [space.join(part) for part in parts]
