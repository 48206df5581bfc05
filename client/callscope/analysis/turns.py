"""Segments into turns, and the order in which turns follow each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from callscope.call import Segment, Turn

TURN_GAP_S = 3.0


def build_turns(segments: Iterable[Segment], *, max_gap_s: float = TURN_GAP_S) -> tuple[Turn, ...]:
    """Join each speaker's segments over gaps under `max_gap_s` seconds in which nobody else speaks.

    A short word that falls inside another's segment is a turn of its own and does not divide the other's.

    Returns:
        Turns in order of start.
    """
    ordered = sorted(segments, key=lambda segment: (segment.start_s, segment.end_s))
    turns: list[Turn] = []
    latest: dict[str, int] = {}
    for segment in ordered:
        place = latest.get(segment.speaker)
        if place is not None and _continues(turns[place], segment, ordered, max_gap_s):
            turns[place] = _extended(turns[place], segment)
        else:
            latest[segment.speaker] = len(turns)
            turns.append(Turn(segment.speaker, segment.start_s, segment.end_s, (segment.id,)))
    return tuple(turns)


def _continues(turn: Turn, segment: Segment, ordered: Sequence[Segment], max_gap_s: float) -> bool:
    if segment.start_s - turn.end_s >= max_gap_s:
        return False
    return not any(
        other.speaker != turn.speaker and other.start_s < segment.start_s and other.end_s > turn.end_s
        for other in ordered
        if segment.start_s > turn.end_s
    )


def _extended(turn: Turn, segment: Segment) -> Turn:
    return Turn(turn.speaker, turn.start_s, max(turn.end_s, segment.end_s), (*turn.segments, segment.id))


def held_before(turns: Iterable[Turn], turn: Turn) -> Turn | None:
    """The turn that ended last among those that began before this one: whoever held the floor."""
    return max((other for other in turns if other.start_s < turn.start_s), key=lambda other: other.end_s, default=None)
