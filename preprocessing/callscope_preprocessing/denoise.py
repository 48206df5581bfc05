"""Noise taken out of a channel, for the ears of voice activity detection and diarization.

Whisper hears the original unless it is told otherwise: denoised sound is worse for it (arXiv 2512.17562).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from callscope_preprocessing.frames import read_padded
from callscope_preprocessing.pcm import FULL_SCALE, Pcm, to_int16
from callscope_preprocessing.resample import resample_blocks
from callscope_preprocessing.rnnoise import RATE_HZ, Floats, require_rnnoise, suppress_noise
from callscope_preprocessing.track import Track, TrackWriter

PARTS = 12
"""Of a call, so that any few workers have about as much to do."""
SHORTEST_PART_S, LONGEST_PART_S = 60, 300
WARM_UP_S = 4
"""Heard before each part, so that the network is in the state it would be in without the cut."""
MARGIN_S = 1
"""Heard after it: the delay, and the reach of the filters."""
BLOCK_S = 5


def denoise(track: Track, *, workers: int = 1) -> Track:
    """Take the noise out with RNNoise, in parts of up to five minutes side by side, its delay taken back.

    The parts are the same for any number of workers, and so is the sound.

    Args:
        track: one channel at any whole rate.
        workers: threads; RNNoise lets the others run.

    Returns:
        A track of the same rate and length.

    Raises:
        PackageMissing: RNNoise is not installed (the extra `denoise`).
        StorageFull: the folder for temporary files has no room.
    """
    require_rnnoise()
    writer = TrackWriter(track.rate_hz)
    waiting: deque[Future[Pcm]] = deque()
    with ThreadPoolExecutor(max(1, workers)) as pool:
        for first, end in _parts(track):
            waiting.append(pool.submit(_part, track, first, end))
            if len(waiting) > workers:  # one is ready to begin, and no more sound is held than that
                writer.write(waiting.popleft().result())
        while waiting:
            writer.write(waiting.popleft().result())
    return writer.finish()


def _parts(track: Track) -> Iterator[tuple[int, int]]:
    """First sample and end of each part; all are as long, but for the last by a few samples."""
    part_s = min(max(track.duration_s / PARTS, SHORTEST_PART_S), LONGEST_PART_S)
    size = max(1, math.ceil(track.samples / max(1, math.ceil(track.duration_s / part_s))))
    for first in range(0, track.samples, size):
        yield first, min(first + size, track.samples)


def _part(track: Track, first: int, end: int) -> Pcm:
    """Samples `first` up to `end` without noise."""
    rate_hz = track.rate_hz
    begin = first - WARM_UP_S * rate_hz
    heard = _floats(track, begin, end + MARGIN_S * rate_hz)
    clean = suppress_noise(resample_blocks(heard, rate_hz, RATE_HZ))
    made = [to_int16(block / np.float32(FULL_SCALE)) for block in resample_blocks(clean, RATE_HZ, rate_hz)]
    return np.concatenate(made)[first - begin : end - begin]


def _floats(track: Track, begin: int, end: int) -> Iterator[Floats]:
    """Sound of a part in blocks, in floats of the size of its 16-bit integers."""
    size = BLOCK_S * track.rate_hz
    for first in range(begin, end, size):
        yield read_padded(track, first, min(first + size, end)).astype(np.float32)
