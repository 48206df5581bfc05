from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscope_preprocessing.audio import Span
from callscope_preprocessing.chunk import Chunk, whole
from callscope_preprocessing.track import track_of
from callscope_preprocessing.windows import pack

MOMENTS = st.floats(-1, 100, allow_nan=False)
SPANS = st.lists(st.tuples(MOMENTS, st.floats(0.01, 5)).map(lambda pair: Span(pair[0], sum(pair))), max_size=30)


def numbered(seconds: float, rate_hz: int) -> np.ndarray:
    """Sound whose every sample is its own number."""
    return (np.arange(round(seconds * rate_hz)) - 32_768).astype(np.int16)


@settings(max_examples=300, deadline=None)
@given(SPANS, st.floats(1, 30), st.sampled_from([100, 441, 600]), st.floats(0, 2), st.booleans())
def test_times_map_to_the_call_and_back_within_a_sample(
    spans: list[Span], window_s: float, rate_hz: int, overlap_s: float, fill: bool
) -> None:
    track = track_of(numbered(100, rate_hz), rate_hz)
    for chunk in pack(track, spans, channel=0, window_s=window_s, overlap_s=overlap_s, fill=fill):
        samples = chunk.audio().astype(int) + 32_768
        edges = [edge for piece in chunk.pieces for edge in (piece.place, piece.limit - 1)]
        for at in {*edges, *range(0, len(samples), 97)}:
            sample, time_s = samples[at], (at + 0.5) / rate_hz
            assert chunk.to_call(time_s) == pytest.approx((sample + 0.5) / rate_hz, abs=1e-6)
            assert chunk.to_window(chunk.to_call(time_s)) == pytest.approx(time_s, abs=1e-6)
            assert chunk.to_window(sample / rate_hz) == pytest.approx(at / rate_hz, abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(SPANS, st.lists(st.floats(-1, 31), max_size=20))
def test_later_in_the_window_is_later_in_the_call(spans: list[Span], times: list[float]) -> None:
    track = track_of(numbered(100, 100), 100)
    for chunk in pack(track, spans, channel=0, window_s=30, fill=True):
        in_call = [chunk.to_call(time_s) for time_s in sorted(times)]
        assert in_call == sorted(in_call)
        indices = [chunk.piece_at(time_s) for time_s in sorted(times)]
        assert indices == sorted(indices)


def two_pieces() -> Chunk:
    """1 to 2 s and 5 to 6 s of the call, with a pause of half a second: 0 to 1.25 s and 1.25 to 2.5 s of the window."""
    spans = [Span(1, 2), Span(5, 6)]
    (chunk,) = pack(track_of(numbered(10, 1000), 1000), spans, channel=0, window_s=8, fill=True)
    return chunk


def test_the_middle_of_the_pause_parts_pieces() -> None:
    chunk = two_pieces()
    assert [chunk.piece_at(time_s) for time_s in (-1, 0, 1.1, 1.249, 1.25, 2, 9)] == [0, 0, 0, 0, 1, 1, 1]
    assert [chunk.to_call(time_s) for time_s in (0, 1, 1.25, 1.5, 2.5)] == [1, 2, 4.75, 5, 6]


def test_a_time_that_is_not_heard_is_where_the_nearest_is() -> None:
    chunk = two_pieces()
    assert [chunk.to_window(time_s) for time_s in (0, 2.5, 3, 4, 4.75, 8)] == [0, 1.25, 1.25, 1.25, 1.25, 2.5]


def test_all_of_a_track_is_a_chunk() -> None:
    chunk = whole(track_of(numbered(2, 1000), 1000), channel=1, speech_s=1.5)
    assert (chunk.channel, chunk.spans, chunk.speech_s, chunk.heard_s) == (1, (Span(0, 2),), 1.5, 2)
    assert (chunk.audio() == numbered(2, 1000)).all()
    assert whole(track_of(numbered(2, 1000), 1000)).speech_s == 2
