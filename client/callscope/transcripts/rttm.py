"""Who spoke when (.rttm), with the words in the text of the same name (.txt) beside it.

A text has a line for each stretch, in order of start: its words, or time, speaker and words as Callscope writes them. A
text of one line is spread over the stretches by their lengths: who said which words is then worked out, and the result
says so.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from callscope.transcripts.document import Document, read_document
from callscope.transcripts.transcript import Cue, Transcript
from callscope_preprocessing.audio import Span
from callscope_preprocessing.rttm import RttmInvalid, read_rttm
from callscope_preprocessing.speakers import SpeakerTurn

WITH_TIME = re.compile(r"\d+:\d\d\.\d  (\S+)(?:\s+(.*))?", re.ASCII)
"""A line of Callscope's text: `0:06.6  Agent     words`."""
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
    texts = [(None, part) for part in _spread(lines[0], turns)] if spread else _labelled(lines)
    cues = [
        Cue(one.span.start_s, one.span.end_s, text, one.speaker, role=label)
        for one, (label, text) in zip(turns, texts, strict=True)
    ]
    return (Transcript("rttm", tuple(cues), spread=spread),)


def _labelled(lines: Sequence[str]) -> list[tuple[str | None, str]]:
    """Each line's label and words; without a label, unless all have a time and a label."""
    found = [WITH_TIME.fullmatch(line) for line in lines]
    if all(found):
        return [(one[1], one[2] or "") for one in found if one]
    return [(None, line) for line in lines]


def _turns(document: Document) -> Sequence[SpeakerTurn]:
    try:
        calls = read_rttm(document.path)
    except RttmInvalid as error:
        problem = str(error).replace(f" of {document.path}", "").removesuffix(".")
        raise document.damaged(problem[:MOST_CHARACTERS]) from error
    if len(calls) != 1:
        found = f"{len(calls)} recordings" if calls else "no speech"
        raise document.damaged(f"it holds {found}. Give each call a file of its own")
    # `read_rttm` has found no fault, and orders by name what begins and ends together: its line in the text is lost
    rows = [line.split() for line in document.text.splitlines()]
    turns = [_turn(row) for row in rows if row and row[0] == "SPEAKER"]
    return sorted(turns, key=lambda turn: (turn.span.start_s, turn.span.end_s))


def _turn(row: Sequence[str]) -> SpeakerTurn:
    start_s = float(row[3])
    return SpeakerTurn(Span(start_s, start_s + float(row[4])), row[7])


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
