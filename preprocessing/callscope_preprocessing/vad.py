"""Where a channel holds speech."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import webrtcvad  # type: ignore[import-untyped]  # ships no types
from numpy.typing import NDArray

from callscope_preprocessing.audio import Audio, Span
from callscope_preprocessing.keys import key_frames
from callscope_preprocessing.pcm import FULL_SCALE, Pcm, to_int16
from callscope_preprocessing.resample import resample
from callscope_preprocessing.stationary import steady_frames

NATIVE_RATES_HZ = (8_000, 16_000, 32_000, 48_000)
NARROWBAND_HZ, WIDEBAND_HZ = 8_000, 16_000
FRAME_LENGTHS_MS = (10, 20, 30)
MOST_AGGRESSIVE = 3
SMALLEST_POWER = 1e-12


@dataclass(frozen=True, slots=True)
class VadSettings:
    """How speech is told from the rest.

    Attributes:
        mode: how much WebRTC's detector rejects, 0 (least) to 3.
        frame_ms: length of the frames it judges: 10, 20 or 30.
        smoothing_s: length of the window, around each frame, whose share of voiced frames decides.
        open_share: speech starts where the share reaches this.
        close_share: speech ends where the share falls to this.
        floor_db: frames at a lower level than this, in dB of full scale, are never speech.
        min_silence_s: shorter pauses are part of the speech around them.
        min_speech_s: shorter speech, before padding, is left out.
        padding_s: what is added before and after, for soft onsets and endings.
        reject_steady: whether tones, telephone keys and steady noise are left out.

    Raises:
        ValueError: a setting is out of its range.
    """

    mode: int = 3
    frame_ms: int = 30
    smoothing_s: float = 0.27
    open_share: float = 0.5
    close_share: float = 0.2
    floor_db: float = -65.0
    min_silence_s: float = 0.3
    min_speech_s: float = 0.2
    padding_s: float = 0.15
    reject_steady: bool = True

    def __post_init__(self) -> None:
        if self.mode not in range(MOST_AGGRESSIVE + 1):
            raise ValueError(f"VAD mode {self.mode} does not exist. Choose 0, 1, 2 or 3.")
        if self.frame_ms not in FRAME_LENGTHS_MS:
            raise ValueError(f"VAD frames of {self.frame_ms} ms are impossible. Choose 10, 20 or 30.")
        if not 0 <= self.close_share <= self.open_share <= 1:
            raise ValueError("VAD shares are out of order. Choose 0 <= close_share <= open_share <= 1.")
        if min(self.smoothing_s, self.min_silence_s, self.min_speech_s, self.padding_s) < 0:
            raise ValueError("A VAD length is negative. Choose 0 or more seconds.")


DEFAULT = VadSettings()


def detect_speech(audio: Audio, settings: VadSettings = DEFAULT) -> tuple[Span, ...]:
    """Find speech with WebRTC's detector, smoothed and padded. The same sound always gives the same spans.

    Args:
        audio: one channel at any rate.
        settings: how speech is told from the rest.

    Returns:
        Spans in order, apart from each other, within the sound.

    Raises:
        ValueError: there is more than one channel.
    """
    if audio.channels != 1:
        raise ValueError(f"Speech is detected in one channel, and here are {audio.channels}. Split them first.")
    frames = _frames(_at_native_rate(audio), settings.frame_ms)
    frame_s = settings.frame_ms / 1000
    runs = _smooth(_voiced(frames, settings), settings)
    spans = (Span(first * frame_s, min(end * frame_s, audio.duration_s)) for first, end in runs)
    joined = _join(spans, settings.min_silence_s)
    long_enough = (span for span in joined if span.duration_s >= settings.min_speech_s)
    padded = (_pad(span, settings.padding_s, audio.duration_s) for span in long_enough)
    return tuple(_join(padded, 0.0))


def _at_native_rate(audio: Audio) -> Audio:
    if audio.rate_hz in NATIVE_RATES_HZ:
        return audio
    return resample(audio, NARROWBAND_HZ if audio.rate_hz < WIDEBAND_HZ else WIDEBAND_HZ)


@dataclass(frozen=True, slots=True)
class _Frames:
    pcm: Pcm
    rate_hz: int


def _frames(audio: Audio, frame_ms: int) -> _Frames:
    """Sound as int16, shape (frames, samples), the last frame filled with zeros."""
    samples, size = audio.samples[0], audio.rate_hz * frame_ms // 1000
    pcm = np.zeros(len(samples) + -len(samples) % size, np.int16)
    to_int16(samples, out=pcm[: len(samples)])
    return _Frames(pcm.reshape(-1, size), audio.rate_hz)


def _voiced(frames: _Frames, settings: VadSettings) -> NDArray[np.bool_]:
    """What WebRTC calls speech, loud enough and not steady, shape (frames,)."""
    detector = webrtcvad.Vad(settings.mode)
    votes = np.fromiter((detector.is_speech(frame.tobytes(), frames.rate_hz) for frame in frames.pcm), np.bool_)
    levels_db = _levels_db(frames.pcm)
    voiced = votes & (levels_db > settings.floor_db)
    if settings.reject_steady:
        voiced &= ~steady_frames(levels_db, settings.frame_ms / 1000) & ~key_frames(frames.pcm, frames.rate_hz)
    return voiced


def _levels_db(pcm: Pcm) -> NDArray[np.float32]:
    energy = np.einsum("fs,fs->f", pcm, pcm, dtype=np.float32, casting="unsafe")
    power = np.maximum(energy / (pcm.shape[1] * FULL_SCALE**2), SMALLEST_POWER)
    return np.asarray(10 * np.log10(power), np.float32)


def _smooth(voiced: NDArray[np.bool_], settings: VadSettings) -> Iterator[tuple[int, int]]:
    """Runs of speech (first frame, end frame) by hysteresis over the share of voiced frames around each frame."""
    reach = round(settings.smoothing_s * 1000 / settings.frame_ms) // 2
    share = _share_around(voiced, reach)
    first: int | None = None
    for frame, value in enumerate(share.tolist()):
        if first is None and value >= settings.open_share and value > 0:
            first = frame
        elif first is not None and value <= settings.close_share:
            yield first, frame
            first = None
    if first is not None:
        yield first, len(share)


def _share_around(voiced: NDArray[np.bool_], reach: int) -> NDArray[np.float64]:
    counts = np.concatenate(([0], np.cumsum(voiced)))
    frames = np.arange(len(voiced))
    first, end = np.maximum(frames - reach, 0), np.minimum(frames + reach + 1, len(voiced))
    share: NDArray[np.float64] = (counts[end] - counts[first]) / np.maximum(end - first, 1)
    return share


def _join(spans: Iterable[Span], min_gap_s: float) -> Iterator[Span]:
    """Join spans whose gap is shorter than `min_gap_s`, and those that touch."""
    current: Span | None = None
    for span in spans:
        if current is None:
            current = span
        elif span.start_s - current.end_s < min_gap_s or span.start_s <= current.end_s:
            current = Span(current.start_s, max(current.end_s, span.end_s))
        else:
            yield current
            current = span
    if current is not None:
        yield current


def _pad(span: Span, padding_s: float, end_s: float) -> Span:
    return Span(max(0.0, span.start_s - padding_s), min(end_s, span.end_s + padding_s))
