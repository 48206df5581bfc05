"""Why a frame is no speech, whatever the detector says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.frames import count_frames, levels_db, measure_frames
from callscope_preprocessing.keys import pressed_frames, widen
from callscope_preprocessing.music import music_frames
from callscope_preprocessing.smoothing import runs
from callscope_preprocessing.spectrum import read_spectrum
from callscope_preprocessing.speech import REASONS
from callscope_preprocessing.stationary import steady_frames
from callscope_preprocessing.tones import tone_frames
from callscope_preprocessing.track import Track

SPEECH = -1
LONGEST_RING_S = 5.0
BLOCK_FRAMES = 1 << 15
"""Frames judged at a time: each takes a hundred bytes and more until it is judged, and one afterwards."""
AROUND_S = LONGEST_RING_S + 2.0
"""Heard on either side of a block: a ring that is too long for one, and what is uncertain where the sound is cut."""

Reasons = NDArray[np.int8]


def frame_reasons(narrow: Track, frame_ms: int, floor_db: float, *, reject_steady: bool) -> Reasons:
    """Find what is no speech, block by block; the size of the blocks does not matter.

    Args:
        narrow: one channel at 8 kHz.
        frame_ms: length of a frame.
        floor_db: frames at a lower level, in dB of full scale, are noise.
        reject_steady: whether tones, telephone keys, music and steady noise are looked for.

    Returns:
        For each frame a place in `REASONS`, or `SPEECH`, shape (frames,).
    """
    size, around = narrow.rate_hz * frame_ms // 1000, round(AROUND_S * 1000 / frame_ms)
    count = count_frames(narrow, size)
    reasons = np.full(count, SPEECH, np.int8)
    for first in range(0, count, BLOCK_FRAMES):
        end = min(first + BLOCK_FRAMES, count)
        begin, stop = max(first - around, 0), min(end + around, count)
        levels = measure_frames(narrow, size, levels_db, np.float32, first=begin, end=stop)
        own = slice(first - begin, end - begin)
        if reject_steady:
            reasons[first:end] = _rejected(narrow, size, begin, levels)[own]
        reasons[first:end][levels[own] <= floor_db] = REASONS.index("noise")
    return reasons


def _rejected(narrow: Track, size: int, first: int, levels: NDArray[np.float32]) -> Reasons:
    """Tones, keys, music and steady noise among the frames from `first` on whose levels these are."""
    end, frame_s = first + len(levels), size / narrow.rate_hz
    reasons = np.full(len(levels), SPEECH, np.int8)
    spectrum = read_spectrum(narrow, size, first=first, end=end)
    reasons[music_frames(spectrum, frame_s)] = REASONS.index("music")
    reasons[steady_frames(levels, frame_s)] = REASONS.index("steady")
    for begin, stop in runs(tone_frames(spectrum, levels, frame_s)):
        lasts = (stop - begin) * frame_s > LONGEST_RING_S
        reasons[begin:stop] = REASONS.index("steady" if lasts else "ring_back")
    pressed = measure_frames(
        narrow, size, lambda pcm: pressed_frames(pcm, narrow.rate_hz), np.bool_, first=first, end=end
    )
    reasons[widen(pressed)] = REASONS.index("keys")
    return reasons
