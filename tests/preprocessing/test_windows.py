from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscope_preprocessing.audio import Audio, Span
from callscope_preprocessing.windows import Chunk, pack

RATE_HZ = 1000


def sound(seconds: float, rate_hz: int = RATE_HZ) -> Audio:
    """Noise in which every stretch is like no other."""
    samples = np.random.default_rng(0).uniform(-0.9, 0.9, round(seconds * rate_hz)).astype(np.float32)
    return Audio(samples[np.newaxis], rate_hz)


def spans_of(*pairs: tuple[float, float]) -> list[Span]:
    return [Span(*pair) for pair in pairs]


def times(chunks: tuple[Chunk, ...]) -> list[tuple[float, float]]:
    return [(chunk.span.start_s, chunk.span.end_s) for chunk in chunks]


def test_neighbours_share_a_chunk_while_they_fit() -> None:
    chunks = pack(sound(20), spans_of((1, 3), (3.4, 5), (5.2, 8), (8.3, 9.5)), channel=1, window_s=8)
    assert times(chunks) == [(1, 8), (8.3, 9.5)]
    assert [chunk.speech_s for chunk in chunks] == pytest.approx([6.4, 1.2])
    assert all(chunk.channel == 1 for chunk in chunks)


def test_a_chunk_may_fill_the_window_exactly() -> None:
    assert times(pack(sound(20), spans_of((1, 5), (5.1, 9)), channel=0, window_s=8)) == [(1, 9)]


def test_a_long_pause_parts_chunks() -> None:
    pairs = spans_of((1, 2), (2.6, 3))
    assert len(pack(sound(20), pairs, channel=0, window_s=8)) == 2
    assert len(pack(sound(20), pairs, channel=0, window_s=8, max_gap_s=0.6)) == 1


@pytest.mark.parametrize("gap_samples", [0, 1, 499, 500, 501])
def test_the_gap_is_the_longest_pause_inside_a_chunk(gap_samples: int) -> None:
    pairs = spans_of((1, 2), (2 + gap_samples / RATE_HZ, 4))
    assert len(pack(sound(5), pairs, channel=0, window_s=8, max_gap_s=0.5)) == (1 if gap_samples <= 500 else 2)


def test_a_chunk_holds_the_sound_of_its_span_and_no_more() -> None:
    audio = sound(20)
    (chunk,) = pack(audio, spans_of((1, 3), (3.4, 5)), channel=0, window_s=8, overlap_s=1)
    assert chunk.audio.dtype == np.int16
    assert (chunk.audio == np.rint(audio.samples[0, 1000:5000] * 32768)).all()
    assert chunk.heard == chunk.span
    window = chunk.window(8000)
    assert (window[:4000] == chunk.audio).all()
    assert not window[4000:].any()


def test_chunks_share_the_sound_instead_of_copying_it() -> None:
    first, second = pack(sound(20), spans_of((1, 3), (6, 9)), channel=0, window_s=8)
    assert first.audio.base is second.audio.base
    assert not first.audio.flags.writeable


def test_loud_sound_saturates() -> None:
    audio = Audio(np.array([[1.5, -1.5] * 500], np.float32), RATE_HZ)
    (chunk,) = pack(audio, spans_of((0, 1)), channel=0, window_s=1)
    assert set(chunk.audio.tolist()) == {32767, -32768}


def test_a_long_span_is_cut_where_it_is_quietest_near_the_limit() -> None:
    audio = sound(20)
    audio.samples[0, 3800:3900] = 0  # quieter, and too early to be worth a cut
    audio.samples[0, 7400:7500] *= 0.01
    audio.samples[0, 13_900:14_000] *= 0.01
    first, second, third = times(pack(audio, spans_of((0, 18)), channel=0, window_s=8))
    assert first[0] == 0
    assert 7.4 < first[1] == second[0] < 7.5
    assert 13.9 < second[1] == third[0] < 14.0
    assert third[1] == 18


def test_both_sides_of_a_cut_hear_beyond_it() -> None:
    audio = sound(20)
    for quiet in (6500, 11_500):
        audio.samples[0, quiet : quiet + 100] = 0
    chunks = pack(audio, spans_of((0, 18)), channel=0, window_s=8, overlap_s=0.5)
    first, second, third = chunks
    assert [6.5 < first.span.end_s < 6.6, 11.5 < second.span.end_s < 11.6] == [True, True]
    assert [(chunk.lead_s, chunk.tail_s) for chunk in chunks] == [(0, 0.5), (0.5, 0.5), (0.5, 0)]
    start = round(second.heard.start_s * RATE_HZ)
    assert start == round(second.span.start_s * RATE_HZ) - 500
    assert (second.audio == np.rint(audio.samples[0, start : start + len(second.audio)] * 32768)).all()
    assert second.speech_s == pytest.approx(second.span.duration_s + 1.0)
    assert third.span.end_s == third.heard.end_s == 18


def test_what_was_cut_apart_does_not_share_a_chunk_again() -> None:
    chunks = pack(sound(20), spans_of((0, 8.5)), channel=0, window_s=8, overlap_s=1)
    assert len(chunks) == 2
    assert chunks[0].span.end_s == chunks[1].span.start_s


def test_the_rest_of_a_long_span_shares_a_chunk_with_what_follows() -> None:
    chunks = pack(sound(20), spans_of((0, 9), (9.2, 11)), channel=0, window_s=8)
    assert len(chunks) == 2
    assert chunks[1].span.end_s == 11


def test_silence_needs_the_fewest_cuts() -> None:
    audio = Audio(np.zeros((1, 60_000), np.float32), RATE_HZ)
    assert len(pack(audio, spans_of((0, 60)), channel=0, window_s=8)) == 8


def test_spans_may_overlap_be_unordered_empty_or_reach_beyond_the_sound() -> None:
    chunks = pack(
        sound(5), spans_of((4, 9), (1, 2), (1.5, 2.5), (3, 3), (-2, 0.5), (7, 8)), channel=0, window_s=8, max_gap_s=0
    )
    assert times(chunks) == [(0, 0.5), (1, 2.5), (4, 5)]
    assert [chunk.speech_s for chunk in chunks] == [0.5, 1.5, 1.0]


def test_no_speech_makes_no_chunks() -> None:
    assert pack(sound(5), [], channel=0, window_s=8) == ()
    assert pack(Audio(np.zeros((1, 0), np.float32), RATE_HZ), spans_of((0, 1)), channel=0, window_s=8) == ()


def test_two_channels_and_windows_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="Give one channel"):
        pack(Audio(np.zeros((2, 100), np.float32), RATE_HZ), [], channel=0, window_s=8)
    with pytest.raises(ValueError, match="at least a sample"):
        pack(sound(1), [], channel=0, window_s=0)


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 22_050])
@pytest.mark.parametrize("window_samples", [128_000, 480_000, 479_999])
def test_a_window_given_in_seconds_holds_the_models_samples(rate_hz: int, window_samples: int) -> None:
    seconds = window_samples / rate_hz
    (chunk,) = pack(sound(seconds, rate_hz), spans_of((0, 2 * seconds)), channel=0, window_s=seconds)
    assert chunk.audio.shape == (window_samples,)


moments = st.floats(-1, 12, allow_nan=False)
several_spans = st.lists(st.tuples(moments, moments).map(lambda pair: Span(min(pair), max(pair))), max_size=12)


@settings(max_examples=300, deadline=None)
@given(several_spans, st.floats(0.001, 6), st.floats(0, 2), st.sampled_from([100, 441, 1000]), st.floats(0, 2))
def test_packing_keeps_every_sample_of_speech_once_and_in_its_place(
    spans: list[Span], window_s: float, max_gap_s: float, rate_hz: int, overlap_s: float
) -> None:
    audio = sound(10, rate_hz)
    window = round(window_s * rate_hz)
    if window < 1:
        return
    chunks = pack(audio, spans, channel=3, window_s=window_s, max_gap_s=max_gap_s, overlap_s=overlap_s)

    speech = np.zeros(audio.samples.shape[1], bool)
    for span in spans:
        speech[max(0, round(span.start_s * rate_hz)) : max(0, round(span.end_s * rate_hz))] = True
    covered = np.zeros(len(speech), int)
    pcm = np.rint(audio.samples[0] * 32768).astype(np.int16)
    for chunk in chunks:
        start, end = round(chunk.span.start_s * rate_hz), round(chunk.span.end_s * rate_hz)
        assert chunk.span == Span(start / rate_hz, end / rate_hz)
        first, last = round(chunk.heard.start_s * rate_hz), round(chunk.heard.end_s * rate_hz)
        assert first <= start < end <= last
        assert last - first <= window
        assert speech[first:start].all()
        assert speech[end:last].all()
        assert (chunk.audio == pcm[first:last]).all()
        assert chunk.speech_s == pytest.approx(speech[first:last].sum() / rate_hz)
        assert speech[start]
        assert speech[end - 1]
        covered[start:end] += 1

    assert covered.max(initial=0) <= 1
    assert (covered[speech] == 1).all()
    assert all(first.span.end_s <= second.span.start_s for first, second in pairwise(chunks))
    heard_twice_s = sum(chunk.lead_s + chunk.tail_s for chunk in chunks)
    assert sum(chunk.speech_s for chunk in chunks) == pytest.approx(speech.sum() / rate_hz + heard_twice_s)


@settings(max_examples=100, deadline=None)
@given(several_spans, st.floats(0.5, 6), st.floats(0, 2))
def test_no_pause_inside_a_chunk_is_longer_than_the_gap(spans: list[Span], window_s: float, max_gap_s: float) -> None:
    audio = sound(10)
    speech = np.zeros(10_000, bool)
    for span in spans:
        speech[max(0, round(span.start_s * RATE_HZ)) : max(0, round(span.end_s * RATE_HZ))] = True
    for chunk in pack(audio, spans, channel=0, window_s=window_s, max_gap_s=max_gap_s):
        inside = np.flatnonzero(speech[round(chunk.span.start_s * RATE_HZ) : round(chunk.span.end_s * RATE_HZ)])
        assert np.diff(inside).max(initial=1) - 1 <= round(max_gap_s * RATE_HZ)
