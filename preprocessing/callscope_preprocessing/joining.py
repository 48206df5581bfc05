"""Speakers of overlapping windows of one call joined again: who is who, by voice and by speaking at the same time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.audio import Span
from callscope_preprocessing.speakers import MOST_SPEAKERS, SpeakerTurn, in_order, name_of

ALIKE = 0.5
"""Voices at least this alike (cosine) are one speaker."""
TOGETHER = 1.0
"""What speaking wholly at the same time, where two windows overlap, adds to being alike."""

Voice = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class WindowTurns:
    """Who spoke in one window; times are of the call.

    Attributes:
        span: the window.
        turns: speakers by the window's own names.
        exclusive: the same with one at a time.
        voices: a vector of any length for each name; a speaker without one is joined by time alone.
    """

    span: Span
    turns: tuple[SpeakerTurn, ...]
    exclusive: tuple[SpeakerTurn, ...]
    voices: Mapping[str, Voice]


def windows_of(duration_s: float, window_s: float, overlap_s: float) -> tuple[Span, ...]:
    """Windows over a call, each `overlap_s` into the last one, of equal lengths of at most `window_s`.

    Raises:
        ValueError: the overlap is not within the window.
    """
    if not 0 <= overlap_s < window_s:
        raise ValueError(f"Windows of {window_s} s cannot overlap by {overlap_s} s. Choose less overlap.")
    if duration_s <= window_s:
        return (Span(0.0, duration_s),)
    count = int(np.ceil((duration_s - overlap_s) / (window_s - overlap_s)))
    step_s = (duration_s - overlap_s) / count
    return tuple(Span(n * step_s, min(duration_s, (n + 1) * step_s + overlap_s)) for n in range(count))


def join_windows(
    windows: Sequence[WindowTurns], most: int = MOST_SPEAKERS
) -> tuple[tuple[SpeakerTurn, ...], tuple[SpeakerTurn, ...]]:
    """Turns and exclusive turns of the whole call, cut in the middle of each overlap, with names that hold throughout.

    Args:
        windows: in order.
        most: no more speakers than these: beyond, a new one is the most alike of those there are.
    """
    known: list[Voice | None] = []
    turns: list[SpeakerTurn] = []
    exclusive: list[SpeakerTurn] = []
    heard: tuple[SpeakerTurn, ...] = ()
    for number, window in enumerate(windows):
        names = _recognise(window, known, heard, most)
        heard = tuple(SpeakerTurn(turn.span, names[turn.speaker]) for turn in window.turns)
        mine = Span(
            _middle(windows[number - 1].span, window.span) if number else window.span.start_s,
            _middle(window.span, windows[number + 1].span) if number + 1 < len(windows) else window.span.end_s,
        )
        turns += within(heard, [mine])
        exclusive += within([SpeakerTurn(turn.span, names[turn.speaker]) for turn in window.exclusive], [mine])
    return _seamless(turns), _seamless(exclusive)


def _middle(first: Span, second: Span) -> float:
    return (second.start_s + first.end_s) / 2


def within(turns: Sequence[SpeakerTurn], spans: Sequence[Span]) -> tuple[SpeakerTurn, ...]:
    """What of `turns` lies within `spans`, which are in order and apart."""
    starts = np.array([span.start_s for span in spans])
    kept: list[SpeakerTurn] = []
    for turn in turns:
        for span in spans[max(0, int(np.searchsorted(starts, turn.span.start_s)) - 1) :]:
            if span.start_s >= turn.span.end_s:
                break
            common = Span(max(turn.span.start_s, span.start_s), min(turn.span.end_s, span.end_s))
            if common.duration_s > 0:
                kept.append(SpeakerTurn(common, turn.speaker))
    return in_order(kept)


def _recognise(
    window: WindowTurns, known: list[Voice | None], heard: Sequence[SpeakerTurn], most: int
) -> dict[str, str]:
    """The call's name for each name of the window, one to one while there is room; `known` learns the voices."""
    names: dict[str, str] = {}
    local = list(dict.fromkeys(turn.speaker for turn in window.turns + window.exclusive))
    alike = {
        (name, number): _alike(window, name, known[number], heard, name_of(number))
        for name in local
        for number in range(len(known))
    }
    free = set(range(len(known)))
    for (name, number), value in sorted(alike.items(), key=lambda item: -item[1]):
        if name not in names and number in free and value >= ALIKE:
            names[name] = name_of(number)
            free.discard(number)
            known[number] = _blend(known[number], window.voices.get(name))
    for name in local:
        if name in names:
            continue
        if len(known) < most:
            names[name] = name_of(len(known))
            known.append(_unit(window.voices.get(name)))
        else:
            names[name] = name_of(max(range(len(known)), key=lambda number: alike.get((name, number), 0.0)))
    return names


def _alike(window: WindowTurns, name: str, voice: Voice | None, heard: Sequence[SpeakerTurn], speaker: str) -> float:
    """Cosine of the voices, and the share of the common time in which both names speak."""
    mine = _unit(window.voices.get(name))
    cosine = float(mine @ voice) if mine is not None and voice is not None else 0.0
    before = within([turn for turn in heard if turn.speaker == speaker], [window.span])
    after = [turn for turn in window.turns if turn.speaker == name]
    limit_s = max((turn.span.end_s for turn in heard), default=0.0)
    overlap = within(after, [Span(window.span.start_s, max(limit_s, window.span.start_s))])
    both_s = sum(turn.span.duration_s for each in before for turn in within(overlap, [each.span]))
    either_s = sum(turn.span.duration_s for turn in (*before, *overlap)) - both_s
    return cosine + (TOGETHER * both_s / either_s if either_s > 0 else 0.0)


def _unit(voice: Voice | None) -> Voice | None:
    norm = 0.0 if voice is None else float(np.linalg.norm(voice))
    return None if voice is None or not np.isfinite(norm) or norm == 0 else np.asarray(voice / norm, np.float32)


def _blend(known: Voice | None, heard: Voice | None) -> Voice | None:
    """The voice as known so far and as heard now."""
    mine = _unit(heard)
    return mine if known is None else known if mine is None else _unit(known + mine)


def _seamless(turns: Sequence[SpeakerTurn]) -> tuple[SpeakerTurn, ...]:
    """Turns in order, those cut in two by the edge of a window whole again."""
    joined: dict[str, list[SpeakerTurn]] = {}
    for turn in in_order(turns):
        mine = joined.setdefault(turn.speaker, [])
        if mine and turn.span.start_s <= mine[-1].span.end_s:
            last = mine.pop().span
            mine.append(SpeakerTurn(Span(last.start_s, max(last.end_s, turn.span.end_s)), turn.speaker))
        else:
            mine.append(turn)
    return in_order(turn for each in joined.values() for turn in each)
