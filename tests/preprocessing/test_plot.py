from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from callscope_preprocessing.audio import Span
from callscope_preprocessing.plot import Picture, envelope, plot
from callscope_preprocessing.speech import Dropped, Speech
from callscope_preprocessing.time_axis import clock, time_ticks
from callscope_preprocessing.track import track_of


def test_the_envelope_is_the_lowest_and_highest_of_each_column() -> None:
    pcm = np.array([0, 16384, -8192, 0, 0, 0, 4096, -32768], np.int16)
    assert envelope(track_of(pcm, 8000), 2).tolist() == [[-0.25, -1.0], [0.5, 0.125]]


def test_a_short_track_has_as_many_columns_as_samples() -> None:
    assert envelope(track_of(np.zeros(3, np.int16), 8000)).shape == (2, 3)
    assert envelope(track_of(np.zeros(0, np.int16), 8000)).shape == (2, 0)


@pytest.mark.parametrize(("duration_s", "step_s"), [(30.0, 2), (245.0, 30), (3600.0, 300), (8 * 3600.0, 1800)])
def test_the_axis_has_round_times_and_not_too_many(duration_s: float, step_s: int) -> None:
    ticks = time_ticks(duration_s)
    assert ticks[1] - ticks[0] == step_s
    assert ticks[-1] <= duration_s < ticks[-1] + step_s + 1


def test_hours_are_written_where_there_are_some() -> None:
    assert (clock(65, 70), clock(65, 4000), clock(3725, 4000)) == ("1:05", "0:01:05", "1:02:05")


def test_a_call_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="pictures need the extra `plot`")
    track = track_of(np.random.default_rng(0).integers(-9999, 9999, 16_000, np.int16), 8000)
    speech = Speech((Span(0.2, 0.9),), (Dropped(Span(1.0, 1.5), "music"),))
    plot([Picture(track, speech, [(Span(0.2, 0.9), "a")], [Span(0.2, 0.9)])] * 2, tmp_path / "call.svg", title="x")
    assert ElementTree.parse(tmp_path / "call.svg").getroot().tag.endswith("svg")
