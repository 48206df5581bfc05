"""A segment as a row of a table or an object of JSON has it: named values, whatever they are called."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files

from callscope.call import Word
from callscope.transcripts.times import seconds
from callscope.transcripts.transcript import Cue, Figures

CODE = re.compile(r"([a-z]{2,3})(?:[-_].*)?", re.IGNORECASE | re.DOTALL)
CHANNEL = re.compile(r"(?:ch(?:annel)?[\s_-]*)?(\d{1,4})", re.IGNORECASE | re.ASCII)
MS_PER_S = 1000
Row = Mapping[str, object]


def known(row: Mapping[str, object]) -> Row:
    """The values by our own names for them; of two that are called the same the first that says something."""
    found: dict[str, object] = {}
    for name, value in row.items():
        field = field_of(str(name))
        if field and found.get(field) in (None, ""):
            found[field] = value
    return found


@lru_cache(maxsize=1024)
def field_of(name: str) -> str | None:
    """Our own name for what is called `name`; None for what is not of use here."""
    return _fields().get(_plain(name))


def cue_of(row: Row, words: object = None) -> Cue:
    """A row as a cue.

    Args:
        row: by our own names.
        words: its words, as JSON has them, if any.

    Raises:
        ValueError: a value is missing or makes no sense; the message says which and why.
    """
    start_s = _time(row, "start")
    end_s = start_s + _time(row, "duration") if _only_duration(row) else _time(row, "end")
    if end_s < start_s:
        raise ValueError(f"it ends at {end_s:g} s, before it begins at {start_s:g} s")
    return Cue(
        start_s,
        end_s,
        _text(row),
        speaker=_label(row.get("speaker")),
        role=_label(row.get("role")),
        channel=channel_of(row.get("channel")),
        language=language_of(row.get("language")),
        words=words_of(words),
        figures=_figures(row),
    )


def words_of(words: object) -> tuple[Word, ...]:
    """Words with times; none at all unless each has its own, because none is made up."""
    if not isinstance(words, list):
        return ()
    try:
        return tuple(_word(each) for each in words)
    except ValueError:
        return ()


def language_of(value: object) -> str | None:
    """The code "en" of "en-US"; None of what is no code."""
    found = CODE.fullmatch(value.strip()) if isinstance(value, str) else None
    return found[1].lower() if found else None


def channel_of(value: object) -> int | None:
    """0 of 0, "0" or "ch_0"; None of what is no channel's number."""
    found = CHANNEL.fullmatch(str(value).strip())
    return int(found[1]) if found and not isinstance(value, bool) else None


def number_of(value: object, least: float, most: float) -> float | None:
    """A figure between two bounds; None of anything else."""
    try:
        figure = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return None
    return figure if least <= figure <= most else None


def _time(row: Row, field: str) -> float:
    try:
        in_ms = row.get(f"{field}_ms")
        return seconds(row.get(field)) if in_ms in (None, "") else seconds(in_ms) / MS_PER_S
    except ValueError as error:
        raise ValueError(f"its {field} {error}") from error


def _only_duration(row: Row) -> bool:
    return row.get("end") in (None, "") and row.get("end_ms") in (None, "") and row.get("duration") not in (None, "")


def _text(row: Row) -> str:
    text = row.get("text")
    if text is None and "text" in row:
        return ""
    if not isinstance(text, str):
        raise ValueError("it has no text")  # noqa: TRY004  a value of the file, no mistake of the caller
    return text


def _label(value: object) -> str | None:
    text = " ".join(str(value).split()) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text or None


def _figures(row: Row) -> Figures:
    return Figures(
        confidence=number_of(row.get("confidence"), 0, 1),
        avg_logprob=number_of(row.get("avg_logprob"), -1e9, 0),
        no_speech_probability=number_of(row.get("no_speech_probability"), 0, 1),
        compression_ratio=number_of(row.get("compression_ratio"), 0, 1e9),
    )


def _word(value: object) -> Word:
    if not isinstance(value, Mapping):
        raise ValueError("a word is no object")  # noqa: TRY004  a value of the file, no mistake of the caller
    text = value.get("word", value.get("text"))
    confidence = next((value[name] for name in ("confidence", "probability", "score") if name in value), None)
    start_s, end_s = seconds(value.get("start")), seconds(value.get("end"))
    if not isinstance(text, str) or end_s < start_s:
        raise ValueError("a word has no text, or ends before it begins")
    return Word(text, start_s, end_s, number_of(confidence, 0, 1), "")


@cache
def _fields() -> Mapping[str, str]:
    table = tomllib.loads(files("callscope.transcripts").joinpath("names.toml").read_text("utf-8"))
    return {_plain(name): field for field, names in table.items() for name in names}


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))
