from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscope.analysis.mood import measure_mood
from callscope.call import Segment, Sentiment

DURATION_S = 80.0


def said(middle_s: float, score: float | None) -> Segment:
    sentiment = None if score is None else Sentiment("neutral", score, {})
    return Segment(f"seg-{middle_s}", middle_s - 1, middle_s + 1, "C", 0, "x", "x", sentiment=sentiment)


def test_under_two_turns_there_is_no_mood() -> None:
    assert measure_mood([said(10, 0.5), said(70, 0.5)], DURATION_S, turns=1) is None
    assert measure_mood([said(10, 0.5), said(70, 0.5)], DURATION_S, turns=2) is not None


def test_without_a_score_there_is_no_mood() -> None:
    assert measure_mood([said(10, None), said(70, None)], DURATION_S, turns=2) is None


def test_segments_without_a_score_are_left_out_and_count_not_as_neutral() -> None:
    mood = measure_mood([said(10, 0.8), said(12, None), said(70, 0.2)], DURATION_S, turns=3)
    assert mood is not None
    assert (mood.mean, mood.early, mood.late) == pytest.approx((0.5, 0.8, 0.2))


def test_a_segment_counts_where_its_middle_lies() -> None:
    mood = measure_mood([said(39.9, 1.0), said(40.0, -1.0)], DURATION_S, turns=2)
    assert mood is not None
    assert (mood.early, mood.late, mood.trend) == (1.0, -1.0, -2.0)
    assert mood.quarters == (None, 1.0, -1.0, None)
    assert mood.change is None


def test_the_end_of_the_call_is_in_the_last_quarter() -> None:
    mood = measure_mood([said(0, 0.1), said(80.0, 0.4)], DURATION_S, turns=2)
    assert mood is not None
    assert mood.quarters == (0.1, None, None, 0.4)
    assert mood.change == pytest.approx(0.3)


def test_one_half_alone_has_no_trend() -> None:
    mood = measure_mood([said(50, 0.1), said(70, 0.4)], DURATION_S, turns=2)
    assert mood is not None
    assert (mood.early, mood.trend) == (None, None)
    assert mood.late == pytest.approx(0.25)


scores = st.lists(st.tuples(st.floats(0, DURATION_S), st.floats(-1, 1)), min_size=1, max_size=20)


@given(scores)
def test_every_figure_lies_between_the_lowest_and_the_highest_score(rows: list[tuple[float, float]]) -> None:
    mood = measure_mood([said(*row) for row in rows], DURATION_S, turns=2)
    assert mood is not None
    lowest, highest = min(score for _, score in rows) - 1e-9, max(score for _, score in rows) + 1e-9
    for figure in (mood.mean, mood.early, mood.late, *mood.quarters):
        assert figure is None or lowest <= figure <= highest
