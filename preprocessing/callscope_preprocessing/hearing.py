"""What two small networks hear in each window of a call: who speaks when in it, and with what voice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.audio import Span
from callscope_preprocessing.pcm import Pcm
from callscope_preprocessing.track import Track
from callscope_preprocessing.voices.features import HOP, Features, log_mel
from callscope_preprocessing.voices.networks import SHORTEST_FRAMES, WINDOW_SAMPLES, Activity, Networks, Voices

RATE_HZ = 16_000
STEP_SAMPLES = WINDOW_SAMPLES * 4 // 5
FRAME_SAMPLES = 270
FRAME_S = FRAME_SAMPLES / RATE_HZ
WINDOWS_AT_ONCE = 32
CLEAR_S = 0.5
"""Speech alone that a voice is taken from, where there is as much."""
PIECE_S = 2.0
"""A voice is taken from about this much speech."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some of what one speaker of a window says.

    Attributes:
        active: when, shape (frames,).
        features: of it, or of what is said alone where that is enough, shape (frames, bands).
        clear_s: how much is said alone, in seconds.
    """

    active: NDArray[np.bool_]
    features: Features
    clear_s: float


@dataclass(frozen=True, slots=True)
class Window:
    """What is kept of 10 s.

    Attributes:
        first: its first frame of the track.
        active: when each piece is said, shape (frames, pieces).
        voices: their vectors, shape (pieces, dimensions).
        clear_s: how much of each is heard alone, in seconds, shape (pieces,).
    """

    first: int
    active: Activity
    voices: Voices
    clear_s: NDArray[np.float64]


def listen(track: Track, speech: Sequence[Span], networks: Networks) -> Iterator[Window]:
    """Windows of 10 s every 8 s, those with speech, as the networks hear them.

    Args:
        track: sound at 16 kHz, any length; some windows of it are in memory at a time.
        speech: where there is speech, in order.
        networks: the two of them.
    """
    starts = iter(_starts(track, speech))
    while batch := list(islice(starts, WINDOWS_AT_ONCE)):
        sounds = [track.read(start, start + WINDOW_SAMPLES) for start in batch]
        activities = networks.activity(sounds)
        spoken = [_spoken(*pair) for pair in zip(sounds, activities, strict=True)]
        voices = networks.voices([piece.features for each in spoken for piece in each])
        place = 0
        for start, each in zip(batch, spoken, strict=True):
            mine, place = voices[place : place + len(each)], place + len(each)
            if each:
                active = np.stack([piece.active for piece in each], axis=1)
                clear_s = np.array([piece.clear_s for piece in each])
                yield Window(round(start / FRAME_SAMPLES), active, mine, clear_s)


def _starts(track: Track, speech: Sequence[Span]) -> list[int]:
    last = max(0, track.samples - WINDOW_SAMPLES + STEP_SAMPLES - 1)
    edges = ((round(span.start_s * RATE_HZ), round(span.end_s * RATE_HZ)) for span in speech)
    wanted = {
        number
        for first, end in edges
        for number in range(max(0, (first - WINDOW_SAMPLES) // STEP_SAMPLES + 1), -(-end // STEP_SAMPLES))
    }
    return [number * STEP_SAMPLES for number in sorted(wanted) if number * STEP_SAMPLES <= last]


def _spoken(pcm: Pcm, activity: Activity) -> list[_Piece]:
    """What each speaker of a window says, in pieces."""
    features = log_mel(pcm)
    place = np.minimum((np.arange(len(features)) * HOP + HOP) // FRAME_SAMPLES, len(activity) - 1)
    alone = activity.sum(axis=1) == 1
    pieces: list[_Piece] = []
    for said in activity.T:
        for active in _cut(said, said & alone):
            clear = active & alone
            clear_s = float(clear.sum()) * FRAME_S
            heard = features[(clear if clear_s >= CLEAR_S else active)[place]]
            if len(heard) >= SHORTEST_FRAMES:
                pieces.append(_Piece(active, heard, clear_s))
    return pieces


def _cut(said: NDArray[np.bool_], clear: NDArray[np.bool_]) -> Iterator[NDArray[np.bool_]]:
    """Parts of what one speaker says in a window with equal lengths heard alone: who seemed one may be two."""
    passed_s = np.cumsum(clear) * FRAME_S
    parts = max(1, round(float(passed_s[-1]) / PIECE_S))
    part = np.minimum((passed_s / max(float(passed_s[-1]), FRAME_S) * parts).astype(np.intp), parts - 1)
    for number in range(parts):
        yield said & (part == number)
