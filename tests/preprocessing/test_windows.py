from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from callscope_preprocessing.audio import Audio, Span
from callscope_preprocessing.chunk import Chunk
from callscope_preprocessing.pcm import Pcm
from callscope_preprocessing.track import Track, track_of, tracks_of
from callscope_preprocessing.windows import FARTHEST_S, MOST_OVERLAP, PAUSE_S, pack

RATE_HZ = 1000


def noise(seconds: float, rate_hz: int = RATE_HZ) -> Pcm:
    """Noise in which every stretch is like no other."""
    return np.rint(np.random.default_rng(0).uniform(-0.9, 0.9, round(seconds * rate_hz)) * 32768).astype(np.int16)


def sound(seconds: float, rate_hz: int = RATE_HZ) -> Track:
    return track_of(noise(seconds, rate_hz), rate_hz)


def heard(chunk: Chunk) -> tuple[int, int]:
    """From the first to the last sample of the call that a chunk of one piece reads."""
    (piece,) = chunk.pieces
    return piece.first, piece.last


def sides_s(chunk: Chunk) -> tuple[float, float]:
    """How far a chunk of one piece hears beyond it, before and after."""
    (piece,) = chunk.pieces
    return piece.lead / RATE_HZ, piece.tail / RATE_HZ


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
    (chunk,) = pack(sound(20), spans_of((1, 3), (3.4, 5)), channel=0, window_s=8, overlap_s=1)
    assert chunk.audio().dtype == np.int16
    assert (chunk.audio() == noise(20)[1000:5000]).all()
    assert heard(chunk) == (1000, 5000)
    assert chunk.heard_s == chunk.span.duration_s
    window = chunk.window(8000)
    assert (window[:4000] == chunk.audio()).all()
    assert not window[4000:].any()


def test_chunks_share_the_sound_instead_of_copying_it() -> None:
    track = sound(20)
    first, second = pack(track, spans_of((1, 3), (6, 9)), channel=0, window_s=8)
    assert first.track is second.track is track
    first.audio()[:] = 0
    assert first.audio().any(), "what is read is the caller's own"


def test_loud_sound_saturates() -> None:
    audio = Audio(np.array([[1.5, -1.5] * 500], np.float32), RATE_HZ)
    (chunk,) = pack(tracks_of(audio)[0], spans_of((0, 1)), channel=0, window_s=1)
    assert set(chunk.audio().tolist()) == {32767, -32768}


def test_a_long_span_is_cut_where_it_is_quietest_near_the_limit() -> None:
    pcm = noise(20)
    pcm[3800:3900] = 0  # quieter, and too early to be worth a cut
    pcm[7400:7500] //= 100
    pcm[13_900:14_000] //= 100
    first, second, third = times(pack(track_of(pcm, RATE_HZ), spans_of((0, 18)), channel=0, window_s=8))
    assert first[0] == 0
    assert 7.4 < first[1] == second[0] < 7.5
    assert 13.9 < second[1] == third[0] < 14.0
    assert third[1] == 18


def test_both_sides_of_a_cut_hear_beyond_it() -> None:
    pcm = noise(20)
    for quiet in (6500, 11_500):
        pcm[quiet : quiet + 100] = 0
    chunks = pack(track_of(pcm, RATE_HZ), spans_of((0, 18)), channel=0, window_s=8, overlap_s=0.5)
    first, second, third = chunks
    assert [6.5 < first.span.end_s < 6.6, 11.5 < second.span.end_s < 11.6] == [True, True]
    assert [sides_s(chunk) for chunk in chunks] == [(0, 0.5), (0.5, 0.5), (0.5, 0)]
    start, _ = heard(second)
    assert start == round(second.span.start_s * RATE_HZ) - 500
    assert (second.audio() == pcm[start : start + len(second.audio())]).all()
    assert second.speech_s == pytest.approx(second.span.duration_s + 1.0)
    assert third.span.end_s == heard(third)[1] / RATE_HZ == 18


def test_what_was_cut_apart_does_not_share_a_chunk_again() -> None:
    chunks = pack(sound(20), spans_of((0, 8.5)), channel=0, window_s=8, overlap_s=1)
    assert len(chunks) == 2
    assert chunks[0].span.end_s == chunks[1].span.start_s


def test_the_rest_of_a_long_span_shares_a_chunk_with_what_follows() -> None:
    chunks = pack(sound(20), spans_of((0, 9), (9.2, 11)), channel=0, window_s=8)
    assert len(chunks) == 2
    assert chunks[1].span.end_s == 11


def test_silence_needs_the_fewest_cuts() -> None:
    silence = track_of(np.zeros(60_000, np.int16), RATE_HZ)
    assert len(pack(silence, spans_of((0, 60)), channel=0, window_s=8)) == 8


def test_spans_may_overlap_be_unordered_empty_or_reach_beyond_the_sound() -> None:
    chunks = pack(
        sound(5), spans_of((4, 9), (1, 2), (1.5, 2.5), (3, 3), (-2, 0.5), (7, 8)), channel=0, window_s=8, max_gap_s=0
    )
    assert times(chunks) == [(0, 0.5), (1, 2.5), (4, 5)]
    assert [chunk.speech_s for chunk in chunks] == [0.5, 1.5, 1.0]


def test_no_speech_makes_no_chunks() -> None:
    assert pack(sound(5), [], channel=0, window_s=8) == ()
    assert pack(track_of(np.zeros(0, np.int16), RATE_HZ), spans_of((0, 1)), channel=0, window_s=8) == ()


def test_windows_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="at least a sample"):
        pack(sound(1), [], channel=0, window_s=0)


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 22_050])
@pytest.mark.parametrize("window_samples", [128_000, 480_000, 479_999])
def test_a_window_given_in_seconds_holds_the_models_samples(rate_hz: int, window_samples: int) -> None:
    seconds = window_samples / rate_hz
    (chunk,) = pack(sound(seconds, rate_hz), spans_of((0, 2 * seconds)), channel=0, window_s=seconds)
    assert chunk.audio().shape == (window_samples,)


moments = st.floats(-1, 12, allow_nan=False)
several_spans = st.lists(st.tuples(moments, moments).map(lambda pair: Span(min(pair), max(pair))), max_size=12)
limits = st.fixed_dictionaries(
    {
        "window_s": st.floats(0.001, 6),
        "max_gap_s": st.floats(0, 2),
        "overlap_s": st.floats(0, 2),
        "pause_s": st.floats(0, 1),
    }
)


def speech_in(spans: list[Span], samples: int, rate_hz: int) -> NDArray[np.bool_]:
    """Which samples are speech."""
    speech = np.zeros(samples, bool)
    for span in spans:
        speech[max(0, round(span.start_s * rate_hz)) : max(0, round(span.end_s * rate_hz))] = True
    return speech


@settings(max_examples=300, deadline=None)
@given(several_spans, limits, st.sampled_from([100, 441, 1000]), st.booleans())
def test_packing_keeps_every_sample_of_speech_once_and_in_its_place(
    spans: list[Span], limits: dict[str, float], rate_hz: int, fill: bool
) -> None:
    track, pcm = sound(10, rate_hz), noise(10, rate_hz)
    window = round(limits["window_s"] * rate_hz)
    if window < 1:
        return
    chunks = pack(track, spans, channel=3, fill=fill, **limits)

    speech = speech_in(spans, len(pcm), rate_hz)
    covered = np.zeros(len(speech), int)
    for chunk in chunks:
        audio = chunk.audio()
        assert chunk.channel == 3
        assert len(audio) == chunk.pieces[-1].limit <= window
        assert chunk.pieces[0].place == 0
        assert all(first.limit == second.place for first, second in pairwise(chunk.pieces))
        assert all(first.last <= second.first for first, second in pairwise(chunk.pieces))
        for piece, span in zip(chunk.pieces, chunk.spans, strict=True):
            assert span == Span(piece.start / rate_hz, piece.end / rate_hz)
            assert piece.first <= piece.start < piece.end <= piece.last
            assert (audio[piece.place : piece.limit] == pcm[piece.first : piece.last]).all()
            assert piece.speech == speech[piece.first : piece.last].sum()
            assert speech[piece.start]
            assert speech[piece.end - 1]
            covered[piece.start : piece.end] += 1
        assert speech[chunk.pieces[0].first : chunk.pieces[0].start].all(), "beyond a cut there is more of the speech"
        assert speech[chunk.pieces[-1].end : chunk.pieces[-1].last].all()
        for first, second in pairwise(chunk.pieces):
            gap = second.start - first.end
            assert first.tail + second.lead == min(gap, round(limits["pause_s"] * rate_hz))
            assert 0 <= first.tail - second.lead <= 1
        assert chunk.speech_s == sum(piece.speech for piece in chunk.pieces) / rate_hz
        assert chunk.heard_s == len(audio) / rate_hz

    pieces = [piece for chunk in chunks for piece in chunk.pieces]
    assert covered.max(initial=0) <= 1
    assert (covered[speech] == 1).all()
    assert all(first.end <= second.start for first, second in pairwise(pieces))
    twice = sum(max(0, first.last - second.first) for first, second in pairwise(pieces))
    overlap = min(round(limits["overlap_s"] * rate_hz), int(window * MOST_OVERLAP))
    assert twice % (2 * overlap or 1) == 0, "both sides of a cut hear as far"
    assert sum(piece.speech for piece in pieces) == speech.sum() + twice
    alone = pack(track, spans, channel=3, fill=False, **limits)
    assert [span for chunk in chunks for span in chunk.spans] == [chunk.span for chunk in alone]


@settings(max_examples=100, deadline=None)
@given(several_spans, st.floats(0.5, 6), st.floats(0, 2), st.booleans())
def test_no_pause_inside_a_chunk_is_longer_than_the_gap(
    spans: list[Span], window_s: float, max_gap_s: float, fill: bool
) -> None:
    speech = speech_in(spans, 10_000, RATE_HZ)
    for chunk in pack(sound(10), spans, channel=0, window_s=window_s, max_gap_s=max_gap_s, fill=fill):
        for piece in chunk.pieces:
            inside = np.flatnonzero(speech[piece.start : piece.end])
            assert np.diff(inside).max(initial=1) - 1 <= round(max_gap_s * RATE_HZ)
        for first, second in pairwise(chunk.pieces):
            assert first.tail + second.lead <= PAUSE_S * RATE_HZ


@settings(max_examples=200, deadline=None)
@given(several_spans, st.floats(0.5, 6), st.floats(0, 1), st.sampled_from([100, 441, 1000]), st.floats(0, 1))
def test_a_window_closes_only_when_the_next_stretch_does_not_fit(
    spans: list[Span], window_s: float, max_gap_s: float, rate_hz: int, overlap_s: float
) -> None:
    chunks = pack(
        sound(10, rate_hz), spans, channel=0, window_s=window_s, max_gap_s=max_gap_s, overlap_s=overlap_s, fill=True
    )
    for full, following in pairwise(chunks):
        last, piece = full.pieces[-1], following.pieces[0]
        cut_apart = last.tail > 0
        pause = min(piece.start - last.end, round(PAUSE_S * rate_hz))
        alone = piece.end - piece.start + (following.pieces[0].tail if len(following.pieces) == 1 else 0)
        assert cut_apart or last.limit + pause + alone > round(window_s * rate_hz)


def test_a_filled_window_holds_several_stretches_and_half_a_pause_beside_each() -> None:
    (chunk,) = pack(sound(20), spans_of((1, 2), (5, 6), (6.2, 7), (15, 16)), channel=0, window_s=8, fill=True)
    places = [(piece.first, piece.last, piece.place) for piece in chunk.pieces]
    assert places == [(1000, 2250, 0), (4750, 7250, 1250), (14_750, 16_000, 3750)]
    assert chunk.spans == (Span(1, 2), Span(5, 7), Span(15, 16))
    assert chunk.span == Span(1, 16)
    pcm = noise(20)
    assert (chunk.audio() == np.concatenate([pcm[first:last] for first, last, _ in places])).all()
    assert not chunk.window(8000)[5000:].any()


def test_a_minute_of_silence_parts_windows() -> None:
    near, far = FARTHEST_S, FARTHEST_S + 0.001
    track = sound(200)
    assert len(pack(track, spans_of((1, 2), (2 + near, 70)), channel=0, window_s=30, fill=True)) == 1
    assert len(pack(track, spans_of((1, 2), (2 + far, 70)), channel=0, window_s=30, fill=True)) == 2


def test_the_sides_of_a_cut_share_windows_with_others_and_not_with_each_other() -> None:
    pcm = noise(40)
    pcm[16_000:16_100] = 0
    track = track_of(pcm, RATE_HZ)
    chunks = pack(
        track, spans_of((1, 2), (11.5, 20), (25, 26)), channel=0, window_s=8, overlap_s=0.5, fill=True, max_gap_s=0
    )
    assert [len(chunk.pieces) for chunk in chunks] == [2, 2]
    cut = chunks[0].pieces[-1].end
    assert 16_000 < cut < 16_100
    assert (chunks[0].pieces[-1].last, chunks[1].pieces[0].first) == (cut + 500, cut - 500)
