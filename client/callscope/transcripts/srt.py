"""SubRip subtitles (.srt)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from callscope.transcripts.captions import times_of
from callscope.transcripts.document import Document
from callscope.transcripts.prefixes import name_speakers
from callscope.transcripts.transcript import Cue, Transcript

MARKUP = re.compile(r"</?(?:i|b|u|s|font)(?:\s[^<>]*)?>|\{\\[^{}]*\}", re.IGNORECASE)
ADVICE = "A caption is its number, a line as 00:00:01,000 --> 00:00:02,500, and its text"


def read(document: Document) -> tuple[Transcript, ...]:
    """The captions of one call, their speakers from the beginnings of their texts.

    Raises:
        TranscriptInvalid: a line is out of place.
    """
    lines = document.text.splitlines()
    timed = [(at, times) for at, line in enumerate(lines) if (times := times_of(line, document, at + 1))]
    first = timed[0][0] if timed else len(lines)
    stray = next((at for at in range(first) if lines[at].strip() and not _is_counter(lines, at, first)), None)
    if stray is not None:
        raise document.damaged(f"this is no caption. {ADVICE}", f"line {stray + 1}")
    return (Transcript("srt", name_speakers(tuple(_cues(lines, timed, document)))),)


def _cues(lines: Sequence[str], timed: Sequence[tuple[int, tuple[float, float]]], document: Document) -> Iterator[Cue]:
    ends = [at for at, _ in timed[1:]] + [len(lines)] * bool(timed)
    for (at, (start_s, end_s)), end in zip(timed, ends, strict=True):
        last = end - 1 if end < len(lines) and _is_counter(lines, end - 1, end) and end - 1 > at else end
        _require_no_other(lines, at, last, document)
        yield Cue(start_s, end_s, MARKUP.sub("", "\n".join(lines[at + 1 : last])).strip())


def _is_counter(lines: Sequence[str], at: int, timed: int) -> bool:
    """Whether a line is the number of the caption whose times are at `timed`."""
    return at == timed - 1 and lines[at].strip().isdecimal()


def _require_no_other(lines: Sequence[str], at: int, end: int, document: Document) -> None:
    """After an empty line the next number, alone, is a caption that has lost its times."""
    number = lines[at - 1].strip() if at else ""
    following = str(int(number) + 1) if number.isascii() and number.isdigit() else None
    for other in range(at + 2, end):
        if lines[other].strip() == following and not lines[other - 1].strip():
            raise document.damaged(f"caption {following} has no times. {ADVICE}", f"line {other + 1}")
