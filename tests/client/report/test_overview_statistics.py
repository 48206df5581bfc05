"""Distributions, courses, and what stands apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from callscope.report.html.phrases import Speech
from callscope.report.overview.brief import Brief
from callscope.report.overview.charts import range_of
from callscope.report.overview.measured import FIGURES
from callscope.report.overview.page import texts
from callscope.report.overview.statistics import distribution, groups, outliers, periods

KST = timezone(timedelta(hours=9))
NOON = datetime(2026, 1, 2, 12, tzinfo=KST)


def brief(**figures: float | None) -> Brief:
    return Brief("a", "a.wav", NOON, NOON, "en", True, (), None, figures)


@given(st.lists(st.none() | st.floats(-1e6, 1e6), max_size=60))
def test_each_value_is_in_one_bar(values: list[float | None]) -> None:
    spread = distribution(values)
    held = [call for bar in spread.bins for call in bar.calls]
    assert sorted(held) == [call for call, value in enumerate(values) if value is not None]
    assert spread.without == values.count(None)
    assert len(spread.bins) <= 18
    for bar in spread.bins:
        slack = 1e-6 * max((abs(end) for end in (bar.low, bar.high) if end is not None), default=0.0) + 1e-6
        for value in (values[call] or 0.0 for call in bar.calls):
            assert bar.low is None or bar.low - slack <= value
            assert bar.high is None or value <= bar.high + slack


@given(st.lists(st.integers(0, 400), min_size=1, max_size=60))
def test_no_bar_splits_or_shares_a_count(counts: list[int]) -> None:
    for bar in distribution([float(count) for count in counts], whole=True).bins:
        for count in (counts[call] for call in bar.calls):
            assert bar.low is None or bar.low <= count
            assert bar.high is None or count < bar.high


def test_a_value_on_an_edge_begins_its_bar() -> None:
    spread = distribution([0.0, 0.1, 0.2, 0.3, 0.6, 0.7, 1.0, 1.6])
    assert [bar.calls for bar in spread.bins if bar.calls][:5] == [(0,), (1,), (2,), (3,), (4,)]


def test_one_value_far_out_does_not_press_the_others_together() -> None:
    spread = distribution([*(3.0 + place / 40 for place in range(100)), 90.0])
    assert sum(bool(bar.calls) for bar in spread.bins) > 5
    assert (spread.bins[-1].high, spread.bins[-1].calls) == (None, (100,))
    assert spread.bins[0].low is not None


def test_bars_say_what_they_hold() -> None:
    figures = {figure.name: figure for figure in FIGURES}
    speech = Speech(texts("en"))
    length = distribution([*(3.0 + place / 40 for place in range(100)), 90.0]).bins
    assert speech.plain(range_of(length[0], figures["duration"])) == "3 to 3.5 min"
    assert speech.plain(range_of(length[-1], figures["duration"])).endswith("min and more")
    counts = distribution([0.0, 1.0, 1.0, 2.0], whole=True).bins
    assert [speech.plain(range_of(bar, figures["interruptions"])) for bar in counts] == ["0", "1", "2"]
    wide = distribution([float(count) for count in range(40)], whole=True).bins
    assert speech.plain(range_of(wide[0], figures["interruptions"])) == "0 to 4"


def test_a_call_that_stands_apart_is_told_and_others_are_not() -> None:
    values = [10.0, 11, 12, 10, 11, 12, 9, 10, 11, None, 60]
    assert [(one.call, one.value, one.median) for one in outliers(values)] == [(10, 60, 11.0)]
    assert not outliers(values[:9])
    assert not outliers([1.0] * 7 + [60.0], least=0.0)


def test_what_differs_too_little_to_matter_does_not_stand_apart() -> None:
    assert not outliers([0.0] * 20 + [2.0], least=1.0)
    assert [one.call for one in outliers([0.0] * 20 + [9.0], least=1.0)] == [20]
    assert not outliers([0.500, 0.501, 0.502] * 5 + [0.51], least=0.03)


def test_courses_go_by_day_and_over_long_spans_by_week() -> None:
    days = [replace(brief(latency=float(day)), date=datetime(2026, 1, day, 12, tzinfo=KST)) for day in (1, 1, 3)]
    assert [(one.start.day, one.count, one.median) for one in periods(days, "latency")] == [(1, 2, 1.0), (3, 1, 3.0)]
    weeks = [*days, replace(brief(latency=None), date=datetime(2026, 6, 1, tzinfo=KST))]
    assert [(one.start.isoformat(), one.count) for one in periods(weeks, "latency")] == [("2025-12-29", 3)]


def test_a_day_is_one_whatever_the_time_zones_of_its_calls() -> None:
    late = NOON.replace(hour=23, tzinfo=timezone(timedelta(hours=-5)))
    early = NOON.replace(hour=1)
    (day,) = periods([replace(brief(latency=1.0), date=early), replace(brief(latency=3.0), date=late)], "latency")
    assert (day.start, day.count, day.median, day.low, day.high) == (NOON.date(), 2, 2.0, 1.5, 2.5)


def test_calls_are_compared_by_what_several_of_them_share() -> None:
    about = [("A", "x"), ("B", "x"), ("B", "y"), ("A", "y"), ("B", "z")]
    calls = [
        replace(brief(), metadata={"date": team, "zone": zone, "team": team, "id": str(place)})
        for place, (team, zone) in enumerate(about)
    ]
    assert list(groups(calls)) == ["team", "zone"]
    assert list(groups(calls)["team"].items()) == [("B", (1, 2, 4)), ("A", (0, 3))]
