from __future__ import annotations

import pytest

from callscope.transcripts.times import seconds


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (83, 83.0),
        (83.5, 83.5),
        ("83.5", 83.5),
        ("83,5", 83.5),
        ("1.200s", 1.2),
        ("1:23.5", 83.5),
        ("01:23", 83.0),
        ("00:01:23,500", 83.5),
        ("100:00:00.001", 360000.001),
        (" 0:00:01.5 ", 1.5),
        ("1e1", 10.0),
        (-0.0, 0.0),
        ("90:00", 5400.0),
    ],
)
def test_times_are_read_as_they_are_written(written: object, expected: float) -> None:
    assert seconds(written) == pytest.approx(expected, abs=1e-9)
    assert str(seconds(written))[0] != "-"


@pytest.mark.parametrize("missing", [None, ""])
def test_a_time_that_is_missing_is_not_made_up(missing: object) -> None:
    with pytest.raises(ValueError, match="not made up"):
        seconds(missing)


@pytest.mark.parametrize(
    "wrong",
    [-1, "-0:00:01", "-3", "00:00:61", "01:61:00", "1:2:3:4", "soon", "12:3x", float("nan"), float("inf"), "nan", "inf",
     True, 10**400, "1" * 500, [], {}, "１：２３", "--> 3"],
)  # fmt: skip
def test_what_is_no_time_of_a_call_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"is no time|before the call|more than 59"):
        seconds(wrong)
