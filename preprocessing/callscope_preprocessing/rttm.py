"""Speaker turns as RTTM, the ten-field lines that diarization tools exchange (NIST, Rich Transcription 2009)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from callscope_preprocessing.audio import Span
from callscope_preprocessing.speakers import SpeakerTurn, in_order

FIELDS = 10
OTHER_TYPES = frozenset(
    {
        "SEGMENT",
        "NOSCORE",
        "NO_RT_METADATA",
        "LEXEME",
        "NON-LEX",
        "NON-SPEECH",
        "FILLER",
        "EDIT",
        "IP",
        "SU",
        "CB",
        "A/P",
    }
    | {"SPKR-INFO"}
)
"""Kinds of line that say nothing of who spoke when."""


class RttmInvalid(ValueError):
    """A line is no RTTM."""


def write_rttm(path: Path, turns: Iterable[SpeakerTurn], *, recording: str) -> None:
    """Write turns to `path` in order, to the millisecond.

    Args:
        path: the file to write.
        turns: who spoke when.
        recording: the name of the recording.

    Raises:
        ValueError: a name is empty or has a space in it.
        OSError: the file cannot be written.
    """
    path.write_text(rttm_of(turns, recording=recording), encoding="utf-8")


def rttm_of(turns: Iterable[SpeakerTurn], *, recording: str) -> str:
    """Turns as RTTM, a line each.

    Raises:
        ValueError: a name is empty or has a space in it.
    """
    return "".join(
        f"SPEAKER {_name(recording)} 1 {turn.span.start_s:.3f} {turn.span.duration_s:.3f} "
        f"<NA> <NA> {_name(turn.speaker)} <NA> <NA>\n"
        for turn in in_order(turns)
    )


def _name(text: str) -> str:
    if text.split() != [text]:
        raise ValueError(f"{text!r} cannot be a name in RTTM. Give one without spaces.")
    return text


def read_rttm(path: Path) -> dict[str, tuple[SpeakerTurn, ...]]:
    """Turns by recording, in order.

    Raises:
        RttmInvalid: a line has other than ten fields, an unknown type, or times that are none.
        OSError: the file cannot be read.
    """
    found: dict[str, list[SpeakerTurn]] = {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise RttmInvalid(f"{path} is not text in UTF-8. Save it as UTF-8.") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith(";;"):
            continue
        fields = line.split()
        if len(fields) != FIELDS:
            raise _invalid(path, number, f"{len(fields)} fields and not {FIELDS}")
        if fields[0] == "SPEAKER":
            turn = SpeakerTurn(_span(path, number, fields[3], fields[4]), fields[7])
            found.setdefault(fields[1], []).append(turn)
        elif fields[0] not in OTHER_TYPES:
            raise _invalid(path, number, f"the unknown type {fields[0]!r}")
    return {recording: in_order(turns) for recording, turns in found.items()}


def _span(path: Path, number: int, start: str, duration: str) -> Span:
    try:
        start_s, duration_s = float(start), float(duration)
    except ValueError as error:
        raise _invalid(path, number, f"the times {start!r} and {duration!r}") from error
    if not (math.isfinite(start_s) and math.isfinite(duration_s) and start_s >= 0 and duration_s > 0):
        raise _invalid(path, number, f"the impossible times {start} and {duration}")
    return Span(start_s, start_s + duration_s)


def _invalid(path: Path, number: int, what: str) -> RttmInvalid:
    return RttmInvalid(
        f"Line {number} of {path} has {what}. RTTM has: SPEAKER FILE 1 START DURATION <NA> <NA> NAME <NA> <NA>."
    )
