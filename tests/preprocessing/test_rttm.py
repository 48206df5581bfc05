"""RTTM written and read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscope_preprocessing.audio import Span
from callscope_preprocessing.rttm import RttmInvalid, read_rttm, rttm_of, write_rttm
from callscope_preprocessing.speakers import SpeakerTurn, in_order

milliseconds = st.integers(0, 10_000_000)
turns = st.lists(
    st.builds(
        lambda start, length, name: SpeakerTurn(Span(start / 1000, (start + length) / 1000), name),
        milliseconds,
        st.integers(1, 100_000),
        st.sampled_from(["SPEAKER_00", "話者", "B"]),
    ),
    min_size=1,
)


@given(turns)
def test_what_is_written_is_read_again_to_the_millisecond(
    tmp_path_factory: pytest.TempPathFactory, turns: Sequence[SpeakerTurn]
) -> None:
    path = tmp_path_factory.mktemp("rttm") / "call.rttm"
    write_rttm(path, turns, recording="call")
    read = read_rttm(path)["call"]
    assert [each.speaker for each in read] == [each.speaker for each in in_order(turns)]
    for one, other in zip(read, in_order(turns), strict=True):
        assert one.span.start_s == pytest.approx(other.span.start_s, abs=1e-6)
        assert one.span.end_s == pytest.approx(other.span.end_s, abs=1e-6)


def test_a_line_has_ten_fields() -> None:
    line = rttm_of([SpeakerTurn(Span(1.5, 2.75), "SPEAKER_00")], recording="call")
    assert line == "SPEAKER call 1 1.500 1.250 <NA> <NA> SPEAKER_00 <NA> <NA>\n"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("SPEAKER call 1 0.0 1.0 <NA> <NA> A <NA>", "9 fields and not 10"),
        ("SPEAKER call 1 zero 1.0 <NA> <NA> A <NA> <NA>", "the times 'zero' and '1.0'"),
        ("SPEAKER call 1 -1 1.0 <NA> <NA> A <NA> <NA>", "the impossible times -1 and 1.0"),
        ("SPEAKER call 1 0.0 nan <NA> <NA> A <NA> <NA>", "the impossible times 0.0 and nan"),
        ("SPEAKER call 1 0.0 0.0 <NA> <NA> A <NA> <NA>", "the impossible times 0.0 and 0.0"),
        ("TALKER call 1 0.0 1.0 <NA> <NA> A <NA> <NA>", "the unknown type 'TALKER'"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, what: str) -> None:
    path = tmp_path / "bad.rttm"
    path.write_text(f"SPEAKER call 1 0.0 1.0 <NA> <NA> A <NA> <NA>\n\n{line}\n")
    with pytest.raises(RttmInvalid, match=r"^Line 3 of ") as caught:
        read_rttm(path)
    assert what in str(caught.value)


def test_comments_and_lines_of_other_kinds_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "call.rttm"
    path.write_text(
        ";; a comment\nSPKR-INFO call 1 <NA> <NA> <NA> unknown A <NA> <NA>\n"
        "SPEAKER call 1 0.0 1.0 <NA> <NA> A <NA> <NA>\n"
    )
    assert read_rttm(path) == {"call": (SpeakerTurn(Span(0.0, 1.0), "A"),)}


def test_a_name_with_a_space_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be a name"):
        rttm_of([SpeakerTurn(Span(0, 1), "A B")], recording="call")
