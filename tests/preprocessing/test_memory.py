"""What a longer call keeps in memory is a few bytes for each frame, not all that was measured of it."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from callscope_preprocessing import reasons, smoothing
from callscope_preprocessing.bleed import remove_bleed
from callscope_preprocessing.pcm import to_int16
from callscope_preprocessing.track import Track, track_of
from callscope_preprocessing.vad import detect_speech

Voice = Callable[..., NDArray[np.float32]]
RATE_HZ = 8_000


@pytest.fixture(name="minute")
def _minute(voice: Voice) -> NDArray[np.int16]:
    """A quarter of it a voice, the rest soft noise."""
    sound = np.random.default_rng(1).normal(0, 1e-3, 60 * RATE_HZ).astype(np.float32)
    sound[20 * RATE_HZ : 35 * RATE_HZ] += voice(15, RATE_HZ)
    return to_int16(sound)


def peak_bytes(work: Callable[[], object]) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def more_bytes(work: Callable[[Track, Track], Callable[[], object]], minute: NDArray[np.int16], minutes: int) -> float:
    """Bytes at the peak for each second by which a call is longer; its second channel has the first one's voice too."""
    own = np.roll(minute, 30 * RATE_HZ) // 2 + np.roll(minute, 80) // 8
    peaks = []
    for length in (2, 2 + minutes):
        tracks = [track_of(np.tile(one, length), RATE_HZ) for one in (minute, own)]
        peaks.append(peak_bytes(work(*tracks)))
    return (peaks[1] - peaks[0]) / (60 * minutes)


def test_of_voice_activity_a_few_bytes_a_frame_are_kept(
    minute: NDArray[np.int16], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (reasons, smoothing):
        monkeypatch.setattr(module, "BLOCK_FRAMES", 1_000)
    assert more_bytes(lambda one, _: lambda: detect_speech(one), minute, 8) <= 12 * 1000 / 30


def test_of_bleed_a_few_numbers_a_frame_are_kept(minute: NDArray[np.int16]) -> None:
    def judge(one: Track, other: Track) -> Callable[[], object]:
        speech = [detect_speech(one), detect_speech(other)]
        assert len(remove_bleed([one, other], speech)[1].spans) < len(speech[1].spans)
        return lambda: remove_bleed([one, other], speech)

    assert more_bytes(judge, minute, 8) <= 20 * 1000 / 20
