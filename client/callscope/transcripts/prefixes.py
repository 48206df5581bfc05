"""Speakers that captions name in their text: `Agent: hello`, `[상담원] 네`, `高橋：はい`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from callscope.transcripts.labels import is_known
from callscope.transcripts.transcript import Cue

BRACKETS = re.compile(
    r"\s*(?:[-–—>]+\s*)?[\[【]\s*([^\s\[\]【】][^\[\]【】\n]{0,39}?)\s*[\]】]\s*[:：]?\s*(.*)", re.DOTALL
)
COLON = re.compile(r"\s*(?:[-–—>]+\s*)?([^\s:：\d][^:：\n]{0,39}?)\s*(?::(?![/\d])|：)\s*(.*)", re.DOTALL)
MOST_WORDS = 4
LEAST_SHARE = 0.5
LEAST_TIMES = 2
LEAST_KNOWN_SHARE = 0.2


def name_speakers(cues: Sequence[Cue]) -> tuple[Cue, ...]:
    """Take the speakers' names out of the texts, where the texts begin with names.

    What stands before a colon or in brackets is a name if it says so itself ("Agent", "Speaker 2") and a fifth of the
    cues begin so, or if at least half of the cues begin with such a thing and it comes back. Lines of a cue with names
    of their own become cues of the same times; a line without one goes on with the line before. A cue without any has
    no speaker.
    """
    if any(cue.speaker for cue in cues):
        return tuple(cues)
    names = _names([name for cue in cues if (name := _name(cue.text))], len(cues))
    if not names:
        return tuple(cues)
    lines = (_name(line) for cue in cues for line in cue.text.splitlines())
    names |= {name for name in lines if name and is_known(name)}
    return tuple(named for cue in cues for named in _named(cue, names))


def _names(found: Sequence[str], cues: int) -> set[str]:
    """Those that are names, of all that texts of so many cues begin with."""
    often = len(found) >= LEAST_SHARE * cues
    names = {name for name, times in Counter(found).items() if often and times >= LEAST_TIMES}
    known = [name for name in found if is_known(name)]
    return names | set(known) if len(known) >= LEAST_KNOWN_SHARE * cues else names


def _named(cue: Cue, names: set[str]) -> Iterator[Cue]:
    parts: list[tuple[str | None, str]] = []
    for line in cue.text.splitlines() or [""]:
        name, rest = _split(line)
        if name in names:
            parts.append((name, rest))
        elif parts:
            parts[-1] = (parts[-1][0], f"{parts[-1][1]}\n{line}")
        else:
            parts.append((None, line))
    for speaker, text in parts:
        yield replace(cue, speaker=speaker, text=text)


def _name(text: str) -> str | None:
    return _split(text)[0]


def _split(line: str) -> tuple[str | None, str]:
    """What may be a name, and the rest of the line."""
    found = BRACKETS.match(line) or COLON.match(line)
    if not found or len(found[1].split()) > MOST_WORDS:
        return None, line
    return found[1], found[2]
