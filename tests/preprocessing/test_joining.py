"""Speakers of windows joined again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscope_preprocessing.audio import Span
from callscope_preprocessing.joining import WindowTurns, join_windows, windows_of, within
from callscope_preprocessing.speakers import SpeakerTurn

VOICES = np.eye(4, dtype=np.float32)
CALL = [("A", 0, 30), ("B", 30, 55), ("A", 55, 80), ("B", 80, 130), ("C", 130, 160), ("A", 160, 200)]


def heard(span: Span, names: dict[str, str], *, voices: bool = True, seed: int = 0) -> WindowTurns:
    """What a window hears of the call, by names of its own."""
    noise = np.random.default_rng(seed).normal(0, 0.05, (4, 4)).astype(np.float32)
    whole = [SpeakerTurn(Span(float(start), float(end)), speaker) for speaker, start, end in CALL]
    turns = tuple(SpeakerTurn(turn.span, names[turn.speaker]) for turn in within(whole, [span]))
    vectors = {names[speaker]: 3 * VOICES[n] + noise[n] for n, speaker in enumerate("ABC")}
    return WindowTurns(span, turns, turns, vectors if voices else {})


def spoken(turns: Sequence[SpeakerTurn]) -> list[tuple[str, float, float]]:
    order: dict[str, str] = {}
    return [(order.setdefault(t.speaker, "ABCD"[len(order)]), t.span.start_s, t.span.end_s) for t in turns]


@pytest.mark.parametrize("voices", [True, False])
def test_speakers_are_the_same_throughout_whatever_each_window_calls_them(voices: bool) -> None:
    spans = windows_of(200.0, 80.0, 30.0)
    shuffled = [{"A": "x", "B": "y", "C": "z"}, {"A": "y", "B": "z", "C": "x"}, {"A": "z", "B": "x", "C": "y"}]
    windows = [heard(span, shuffled[n % 3], voices=voices, seed=n) for n, span in enumerate(spans)]
    assert len(windows) > 2
    turns, exclusive = join_windows(windows)
    if voices:
        assert spoken(turns) == CALL
    else:  # by time alone: a speaker who is silent in the overlap is another one later
        assert [(start, end) for _, start, end in spoken_times(turns)] == [(s, e) for _, s, e in CALL]
    assert exclusive == turns


def spoken_times(turns: Sequence[SpeakerTurn]) -> list[tuple[str, float, float]]:
    return [(t.speaker, t.span.start_s, t.span.end_s) for t in turns]


def test_no_more_speakers_than_allowed_are_made() -> None:
    first = heard(Span(0.0, 100.0), {"A": "x", "B": "y", "C": "z"})
    second = heard(Span(90.0, 200.0), {"A": "x", "B": "y", "C": "z"})
    turns, _ = join_windows([first, second], most=2)
    assert len({turn.speaker for turn in turns}) == 2


@given(st.floats(0.1, 40_000), st.floats(300, 2000), st.floats(0, 200))
def test_windows_cover_a_call_and_overlap(duration_s: float, window_s: float, overlap_s: float) -> None:
    spans = windows_of(duration_s, window_s, overlap_s)
    assert spans[0].start_s == 0
    assert spans[-1].end_s == pytest.approx(duration_s)
    for one, other in pairwise(spans):
        assert one.end_s - other.start_s == pytest.approx(overlap_s, abs=1e-6)
    assert all(span.duration_s <= window_s + 1e-6 for span in spans)


def test_more_overlap_than_window_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot overlap"):
        windows_of(100.0, 10.0, 10.0)


def test_what_lies_within_spans_is_cut_to_them() -> None:
    turns = within(
        [SpeakerTurn(Span(0, 10), "A"), SpeakerTurn(Span(4, 5), "B")], [Span(1, 2), Span(3, 4.5), Span(20, 30)]
    )
    assert spoken_times(turns) == [("A", 1, 2), ("A", 3, 4.5), ("B", 4, 4.5)]
