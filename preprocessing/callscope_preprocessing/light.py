"""Speakers of a call told apart by two small networks, without torch.

One network hears who of at most three speakers speaks in each 10 s; the other makes a vector of each one's voice, and
the vectors are gathered into speakers (as in Bredin, "pyannote.audio 2.1 speaker diarization pipeline", 2023).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.audio import Span
from callscope_preprocessing.clustering import cluster, nearest
from callscope_preprocessing.hearing import FRAME_S, FRAME_SAMPLES, Window, listen
from callscope_preprocessing.speakers import (
    Diarization,
    SpeakerCount,
    SpeakerTurn,
    frames_in,
    turns_of,
)
from callscope_preprocessing.track import Track
from callscope_preprocessing.voices.networks import Activity, Networks, Voices

TELLING_S = 1.0
"""Shorter stretches get the nearest voice, and make none."""
PAUSE_S = 0.3
SHORTEST_TURN_S = 0.1
NEIGHBOURHOOD_S = 0.5


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
    windows = list(listen(track, speech, networks))
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


def _overlay(windows: Sequence[Window], voices: Voices, frames: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
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
