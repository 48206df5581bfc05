"""What telephones play is left out, with its reason, and a voice beside it is not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from bench.nonspeech import KINDS, RATE_HZ, RINGING, music, ringing, tones
from numpy.typing import NDArray

from callscope_preprocessing import frames, reasons, smoothing, spectrum
from callscope_preprocessing.audio import Span
from callscope_preprocessing.pcm import to_int16
from callscope_preprocessing.speech import REASONS, Speech
from callscope_preprocessing.track import track_of
from callscope_preprocessing.vad import VadSettings, detect_speech

Voice = Callable[..., NDArray[np.float32]]
WIDE_VIBRATO = "arpeggio, vibrato 3 %"
"""Half a semitone each way: no scale is left in it, and it is not recognised."""


def heard(samples: NDArray[np.floating], **settings: object) -> Speech:
    pcm = to_int16(np.clip(samples, -1, 1).astype(np.float32))
    return detect_speech(track_of(pcm, RATE_HZ), VadSettings(**settings))  # type: ignore[arg-type]


def main_reason(speech: Speech) -> str:
    return max(REASONS, key=lambda reason: sum(d.span.duration_s for d in speech.dropped if d.reason == reason))


@pytest.mark.parametrize("seed", [11, 12])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != WIDE_VIBRATO])
def test_a_minute_of_it_is_no_speech(kind: str, seed: int) -> None:
    assert heard(KINDS[kind](60, seed)).duration_s <= 0.02 * 60


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("white noise", "steady"),
        ("440 Hz", "steady"),
        ("ring-back, UK", "ring_back"),
        ("busy, Europe", "ring_back"),
        ("chords", "music"),
        ("arpeggio", "music"),
    ],
)
def test_the_reason_is_told(kind: str, reason: str) -> None:
    assert main_reason(heard(KINDS[kind](20, 3))) == reason


def test_keys_are_told_as_keys() -> None:
    pressed = np.concatenate([np.append(tones(0.2, (770, 1336)), np.zeros(1600)) for _ in range(10)])
    assert main_reason(heard(pressed)) == "keys"


def test_speech_too_short_is_told_as_short(voice: Voice) -> None:
    speech = heard(np.concatenate([np.zeros(8000), voice(1, RATE_HZ), np.zeros(8000)]), min_speech_s=3.0)
    assert speech.spans == ()
    assert main_reason(speech) == "short"


@pytest.mark.parametrize("name", RINGING)
def test_a_voice_after_ringing_is_found(voice: Voice, name: str) -> None:
    rings = ringing(12, name)
    (span,) = heard(np.concatenate([rings, voice(3, RATE_HZ), np.zeros(8000)])).spans
    assert span.start_s == pytest.approx(12, abs=0.2)
    assert span.end_s >= 14.8


@pytest.mark.parametrize("kind", ["440 Hz", "chords", "slow chords", "arpeggio"])
def test_a_voice_right_after_it_is_found(voice: Voice, kind: str) -> None:
    spans = heard(np.concatenate([KINDS[kind](12, 4), voice(4, RATE_HZ), np.zeros(8000)])).spans
    assert 11.5 <= spans[0].start_s <= 12.25
    assert spans[-1].end_s >= 15.8


def test_a_voice_over_soft_music_is_kept(voice: Voice) -> None:
    samples = 0.03 * KINDS["chords"](10, 5)
    samples[3 * RATE_HZ : 7 * RATE_HZ] += voice(4, RATE_HZ)
    found = heard(samples)
    inside = sum(max(0.0, min(span.end_s, 7) - max(span.start_s, 3)) for span in found.spans)
    assert inside >= 3.8


@pytest.mark.parametrize("block_frames", [1, 7, 64, 5000])
def test_the_block_size_does_not_matter(voice: Voice, monkeypatch: pytest.MonkeyPatch, block_frames: int) -> None:
    samples = np.concatenate([ringing(4, "ring-back, UK"), voice(2, RATE_HZ), music(3, 1, steps=((0, 2),), beat_s=0.4)])
    whole = heard(samples)
    for function in (frames.frame_blocks, spectrum.read_spectrum):
        monkeypatch.setattr(function, "__kwdefaults__", {**function.__kwdefaults__, "block_frames": block_frames})
    assert heard(samples) == whole


@pytest.mark.parametrize("block_frames", [40, 97, 250])
def test_what_is_judged_at_a_time_does_not_matter(
    voice: Voice, monkeypatch: pytest.MonkeyPatch, block_frames: int
) -> None:
    steady, rings = KINDS["white noise"](6, 2), ringing(9, "busy, Europe")
    samples = np.concatenate([rings, voice(2, RATE_HZ), KINDS["chords"](6, 1), steady, voice(2, RATE_HZ), rings])
    whole = heard(samples)
    for module in (reasons, smoothing):
        monkeypatch.setattr(module, "BLOCK_FRAMES", block_frames)
    assert heard(samples) == whole
    assert {one.reason for one in whole.dropped} >= {"ring_back", "steady", "music"}


def test_what_is_dropped_lies_outside_of_speech_and_within_the_sound(voice: Voice) -> None:
    samples = np.concatenate([ringing(6, "busy, Europe"), voice(2, RATE_HZ), KINDS["chords"](6, 1)])
    found = heard(samples)
    assert {d.reason for d in found.dropped} >= {"ring_back", "music"}
    assert list(found.dropped) == sorted(found.dropped)
    for dropped in found.dropped:
        assert 0 <= dropped.span.start_s < dropped.span.end_s <= len(samples) / RATE_HZ
        assert not any(_overlap(dropped.span, span) > 0.3 for span in found.spans)


def _overlap(one: Span, other: Span) -> float:
    return min(one.end_s, other.end_s) - max(one.start_s, other.start_s)
