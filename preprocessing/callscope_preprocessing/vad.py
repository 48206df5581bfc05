"""Where a channel holds speech."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.audio import Span
from callscope_preprocessing.frames import count_frames
from callscope_preprocessing.reasons import SPEECH, frame_reasons
from callscope_preprocessing.resample import resample_track
from callscope_preprocessing.silero import silero_votes
from callscope_preprocessing.smoothing import join, pad, runs, smooth
from callscope_preprocessing.speech import REASONS, Dropped, Speech
from callscope_preprocessing.track import Track
from callscope_preprocessing.webrtc import webrtc_votes

Detector = Literal["webrtc", "silero"]

NARROWBAND_HZ, WIDEBAND_HZ = 8_000, 16_000
FRAME_LENGTHS_MS = (10, 20, 30)
MOST_AGGRESSIVE = 3
DENOISED_MODE = 2
"""WebRTC's mode for denoised sound: 3 misses soft words in it."""
SAME_S = 0.3
"""Shorter gaps do not part what is left out for one reason."""


@dataclass(frozen=True, slots=True)
class VadSettings:
    """How speech is told from the rest.

    Attributes:
        detector: WebRTC's, or Silero's network (the extra `silero`).
        mode: how much WebRTC's detector rejects, 0 (least) to 3.
        frame_ms: length of the frames it judges: 10, 20 or 30.
        smoothing_s: length of the window, around each frame, whose share of voiced frames decides.
        open_share: speech starts where the share reaches this.
        close_share: speech ends where the share falls to this.
        floor_db: frames at a lower level than this, in dB of full scale, are never speech.
        min_silence_s: shorter pauses are part of the speech around them.
        min_speech_s: shorter speech, before padding, is left out.
        hangover_s: how long speech goes on after its last voiced frame, at most until it ends by its share.
        padding_s: what is added before and after, for soft onsets and endings.
        reject_steady: whether tones, telephone keys, music and steady noise are left out.
        probability: the least that Silero's network must give.

    Raises:
        ValueError: a setting is out of its range.
    """

    detector: Detector = "webrtc"
    mode: int = 3
    frame_ms: int = 30
    smoothing_s: float = 0.27
    open_share: float = 0.5
    close_share: float = 0.2
    floor_db: float = -65.0
    min_silence_s: float = 0.3
    min_speech_s: float = 0.2
    hangover_s: float = 0.06
    padding_s: float = 0.12
    reject_steady: bool = True
    probability: float = 0.5

    def __post_init__(self) -> None:
        if self.detector not in get_args(Detector):
            raise ValueError(f"VAD {self.detector!r} does not exist. Choose webrtc or silero.")
        if self.mode not in range(MOST_AGGRESSIVE + 1):
            raise ValueError(f"VAD mode {self.mode} does not exist. Choose 0, 1, 2 or 3.")
        if self.frame_ms not in FRAME_LENGTHS_MS:
            raise ValueError(f"VAD frames of {self.frame_ms} ms are impossible. Choose 10, 20 or 30.")
        if not 0 < self.probability < 1:
            raise ValueError(f"A VAD probability of {self.probability} is impossible. Choose one between 0 and 1.")
        if not 0 <= self.close_share <= self.open_share <= 1:
            raise ValueError("VAD shares are out of order. Choose 0 <= close_share <= open_share <= 1.")
        if min(self.smoothing_s, self.min_silence_s, self.min_speech_s, self.hangover_s, self.padding_s) < 0:
            raise ValueError("A VAD length is negative. Choose 0 or more seconds.")


DEFAULT = VadSettings()


def detect_speech(track: Track, settings: VadSettings = DEFAULT) -> Speech:
    """Find speech, smoothed and padded, and what was taken for speech and is none.

    The same sound always gives the same spans.

    Args:
        track: one channel at any rate.
        settings: how speech is told from the rest.

    Returns:
        Spans in order, apart from each other, within the sound; and what was left out, with the reason.

    Raises:
        PackageMissing: Silero's detector is asked for and not installed.
        StorageFull: the folder for temporary files has no room.
    """
    narrow, frame_s = resample_track(track, NARROWBAND_HZ), settings.frame_ms / 1000
    votes = _votes(track, narrow, settings)
    reasons = frame_reasons(narrow, settings.frame_ms, settings.floor_db, reject_steady=settings.reject_steady)
    voiced = votes & (reasons == SPEECH)
    reach = round(settings.smoothing_s / frame_s) // 2
    hangover = round(settings.hangover_s / frame_s)
    found = smooth(voiced, reach, settings.open_share, settings.close_share, hangover)
    joined = join(_in_seconds(found, frame_s, track.duration_s), settings.min_silence_s)
    words = [span for span in joined if span.duration_s >= settings.min_speech_s]
    spans = tuple(join((pad(span, settings.padding_s, track.duration_s) for span in words), 0.0))
    return Speech(spans, _dropped(votes, reasons, spans, frame_s, track.duration_s))


def _votes(track: Track, narrow: Track, settings: VadSettings) -> NDArray[np.bool_]:
    """What the detector calls speech, shape (frames,)."""
    size = NARROWBAND_HZ * settings.frame_ms // 1000
    if settings.detector == "webrtc":
        return webrtc_votes(narrow, size, settings.mode)
    heard = narrow if track.rate_hz < WIDEBAND_HZ else resample_track(track, WIDEBAND_HZ)
    return silero_votes(heard, settings.frame_ms / 1000, count_frames(narrow, size), settings.probability)


def _in_seconds(found: Iterable[tuple[int, int]], frame_s: float, duration_s: float) -> Iterator[Span]:
    for first, end in found:
        yield Span(first * frame_s, min(end * frame_s, duration_s))


def _dropped(
    votes: NDArray[np.bool_], reasons: NDArray[np.int8], spans: Sequence[Span], frame_s: float, duration_s: float
) -> tuple[Dropped, ...]:
    """What the detector called speech and is in no span."""
    outside = votes.copy()
    for span in spans:
        outside[math.floor(span.start_s / frame_s) : math.ceil(span.end_s / frame_s)] = False
    short = REASONS.index("short")
    why = np.where(reasons == SPEECH, short, reasons)
    dropped = [
        Dropped(span, REASONS[reason])
        for reason in np.unique(why[outside]).tolist()
        for span in join(_in_seconds(runs(outside & (why == reason)), frame_s, duration_s), SAME_S)
    ]
    return tuple(sorted(dropped))
