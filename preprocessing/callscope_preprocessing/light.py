"""Speakers of a call told apart by two small networks, without torch.

One network hears who of at most three speakers speaks in each 10 s; the other makes a vector of each one's voice, and
the vectors are gathered into speakers (as in Bredin, "pyannote.audio 2.1 speaker diarization pipeline", 2023).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.audio import Span
from callscope_preprocessing.clustering import cluster, nearest
from callscope_preprocessing.pcm import Pcm
from callscope_preprocessing.speakers import (
    Diarization,
    SpeakerCount,
    SpeakerTurn,
    frames_in,
    turns_of,
)
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
TELLING_S = 1.0
"""Shorter stretches get the nearest voice, and make none."""
PAUSE_S = 0.3
SHORTEST_TURN_S = 0.1
NEIGHBOURHOOD_S = 0.5


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
class _Window:
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


def diarize_by_voices(
    track: Track, speech: Sequence[Span], count: SpeakerCount, networks: Networks
) -> Diarization | None:
    """Who speaks when, within `speech`; None where no voice is heard there.

    Args:
        track: sound at 16 kHz, any length; some windows of it are in memory at a time.
        speech: where there is speech, in order.
        count: how many speakers there can be.
        networks: the two of them.
    """
    windows = list(_listen(track, speech, networks))
    if not windows:
        return None
    vectors = np.concatenate([window.voices for window in windows])
    lengths_s = np.concatenate([window.clear_s for window in windows])
    telling = lengths_s >= min(TELLING_S, float(lengths_s.max()))
    voices = cluster(vectors[telling], lengths_s[telling], count)
    frames = -(-track.samples // FRAME_SAMPLES)
    scores, crowd = _overlay(windows, voices, frames)
    inside = frames_in(speech, frames, FRAME_S)
    active, alone = _decide(scores, crowd, inside)
    order = _by_first(active)
    return Diarization(
        _tidy(turns_of(active[:, order], FRAME_S, track.duration_s)),
        _tidy(turns_of(alone[:, order], FRAME_S, track.duration_s)),
        "voices",
    )


def _listen(track: Track, speech: Sequence[Span], networks: Networks) -> Iterator[_Window]:
    """Windows of 10 s every 8 s, those with speech, as the networks hear them."""
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
                yield _Window(round(start / FRAME_SAMPLES), active, mine, clear_s)


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


def _overlay(
    windows: Sequence[_Window], voices: Voices, frames: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The share of windows that hear each speaker, shape (frames, speakers), and how many speak, shape (frames,)."""
    scores = np.zeros((frames, len(voices)), np.float32)
    crowd, covered = np.zeros(frames, np.float32), np.zeros(frames, np.float32)
    for window in windows:
        speakers = nearest(window.voices, voices)
        end = min(frames, window.first + len(window.active))
        active = window.active[: end - window.first]
        for column, speaker in enumerate(speakers):
            others = [c for c, other in enumerate(speakers[:column]) if other == speaker]
            scores[window.first : end, speaker] += active[:, column] & ~active[:, others].any(axis=1)
        crowd[window.first : end] += active.sum(axis=1)
        covered[window.first : end] += 1
    covered = np.maximum(covered, 1)
    return scores / covered[:, np.newaxis], crowd / covered


def _decide(
    scores: NDArray[np.float32], crowd: NDArray[np.float32], inside: NDArray[np.bool_]
) -> tuple[Activity, Activity]:
    """Who speaks, shape (frames, speakers), at most as many as are heard; and the same with one at a time."""
    many = np.minimum(np.rint(crowd), (scores > 0).sum(axis=1))
    many = np.where(inside, np.maximum(many, scores.max(axis=1) >= 0.5), 0)  # noqa: PLR2004  # half of the windows
    around = scores + np.float32(1e-3) * _average(scores)
    ranks = (-around).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    return ranks < many[:, np.newaxis], (ranks == 0) & (many > 0)[:, np.newaxis]


def _average(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means over the time around each frame: who speaks before and after is likelier where two are level."""
    reach = round(NEIGHBOURHOOD_S / FRAME_S)
    sums = np.cumsum(np.pad(scores, ((reach + 1, reach), (0, 0))), axis=0, dtype=np.float64)
    return np.asarray((sums[2 * reach + 1 :] - sums[: -2 * reach - 1]) / (2 * reach + 1), np.float32)


def _by_first(active: Activity) -> list[int]:
    """Speakers who speak, in the order in which they begin."""
    heard = np.flatnonzero(active.any(axis=0)).tolist()
    return sorted(heard, key=lambda speaker: int(active[:, speaker].argmax()))


def _tidy(turns: Sequence[SpeakerTurn]) -> tuple[SpeakerTurn, ...]:
    """Bridge a speaker's short pauses where nobody else speaks, and leave out what is too short for a word."""
    kept = [turn for turn in turns if turn.span.duration_s >= SHORTEST_TURN_S]
    joined: list[SpeakerTurn] = []
    for turn in kept:
        last = joined[-1] if joined else None
        if last and last.speaker == turn.speaker and turn.span.start_s - last.span.end_s < PAUSE_S:
            joined[-1] = SpeakerTurn(Span(last.span.start_s, max(last.span.end_s, turn.span.end_s)), turn.speaker)
        else:
            joined.append(turn)
    return tuple(joined)
