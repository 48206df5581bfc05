"""Who is the agent and who the customer, by what they say; never by who speaks first.

Each cue of `roles.toml` that a speaker's words hold adds its weight, a logarithm of odds, for its role. Of two speakers
one is the agent and the other the customer, so that what one says is evidence about both. Of more, each is judged by
their own words.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from callscope.analysis.folding import fold
from callscope.analysis.patterns import compile_patterns
from callscope.call import Role, Segment, Speaker

DEFAULT_THRESHOLD = 0.9
MOST_SURE = 0.99
"""Cues are not independent of each other: ten of them do not make one role certain."""
PAIR = 2


@dataclass(frozen=True, slots=True)
class _Cue:
    language: str
    weight: float
    pattern: re.Pattern[str]


def find_roles(
    segments: Iterable[Segment], speakers: Sequence[Speaker], threshold: float = DEFAULT_THRESHOLD
) -> tuple[Speaker, ...]:
    """Tell agent from customer where nothing else does.

    Args:
        segments: what was said.
        speakers: of the call; if any has a role already, or there is only one, all are left as they are.
        threshold: probability from which a role is told, 0.5 to 1.

    Returns:
        The speakers in their order, with `role_source` "text" and the probability where a role is told.
    """
    if len(speakers) < PAIR or any(speaker.role != "unknown" for speaker in speakers):
        return tuple(speakers)
    said = tuple(segments)
    odds = [_log_odds([segment for segment in said if segment.speaker == speaker.id]) for speaker in speakers]
    if len(speakers) == PAIR:
        first, second = odds
        odds = [first - second, second - first]
    return tuple(_told(speaker, value, threshold) for speaker, value in zip(speakers, odds, strict=True))


def _told(speaker: Speaker, log_odds: float, threshold: float) -> Speaker:
    confidence = min(1 / (1 + math.exp(-abs(log_odds))), MOST_SURE)
    if log_odds == 0 or confidence < threshold:
        return speaker
    role: Role = "agent" if log_odds > 0 else "customer"
    return replace(speaker, role=role, role_source="text", role_confidence=confidence)


def _log_odds(segments: Iterable[Segment]) -> float:
    """Weights of the agent's cues that are heard, less those of the customer's."""
    return sum(
        cue.weight for language, text in _texts(segments).items() for cue in _cues(language) if cue.pattern.search(text)
    )


def _texts(segments: Iterable[Segment]) -> Mapping[str, str]:
    """Language, or "" -> all that was said in it, a line a segment."""
    lines: dict[str, list[str]] = {}
    for segment in segments:
        lines.setdefault(segment.language or "", []).append(fold(segment.text, segment.language).text)
    return {language: "\n".join(texts) for language, texts in lines.items()}


@cache
def _cues(language: str) -> tuple[_Cue, ...]:
    """Cues in a language; those of all languages where it is not known."""
    return tuple(cue for cue in _all_cues() if language in {cue.language, ""})


@cache
def _all_cues() -> tuple[_Cue, ...]:
    table = tomllib.loads(files("callscope.analysis").joinpath("roles.toml").read_text("utf-8"))
    return tuple(_cue(row) for row in table["cue"])


def _cue(row: Mapping[str, object]) -> _Cue:
    patterns = row["patterns"]
    if not isinstance(patterns, list) or row["role"] not in {"agent", "customer"}:
        raise ValueError(f"A cue in roles.toml has no list of patterns or no role: {row}. Correct it.")
    sign = 1 if row["role"] == "agent" else -1
    return _Cue(str(row["language"]), sign * float(str(row["weight"])), compile_patterns(patterns))
