from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from callscope_preprocessing import channels
from callscope_preprocessing.audio import Audio
from callscope_preprocessing.channels import distinct_channels, repeated_channels
from callscope_preprocessing.track import tracks_of

Voice = Callable[..., NDArray[np.float32]]


def stack(*sounds: NDArray[np.float32]) -> Audio:
    return Audio(np.stack(sounds).astype(np.float32), 8000)


def kept(audio: Audio) -> list[int]:
    """Which channels of `audio` are kept."""
    return list(distinct_channels(tracks_of(audio)))


def later(sound: NDArray[np.float32], samples: int) -> NDArray[np.float32]:
    return np.concatenate((np.zeros(samples, np.float32), sound))[: len(sound)]


def test_two_people_are_two_channels(voice: Voice) -> None:
    assert kept(stack(voice(3, 8000, seed=0), voice(3, 8000, seed=1))) == [0, 1]


def test_one_channel_stays_one(voice: Voice) -> None:
    assert kept(stack(voice(3, 8000))) == [0]


def test_a_mono_call_stored_as_stereo_is_one_channel(voice: Voice) -> None:
    sound = voice(3, 8000)
    coded = np.round(sound * 500) / 500
    assert kept(stack(sound, sound)) == [0]
    assert kept(stack(sound, coded)) == [0]
    assert kept(stack(sound, 0.2 * sound + 0.1)) == [0]
    assert kept(stack(sound, -sound)) == [0]


def test_crosstalk_leaves_two_channels(voice: Voice) -> None:
    agent, caller = voice(3, 8000, seed=0), voice(3, 8000, seed=1)
    assert kept(stack(agent + 0.3 * caller, caller + 0.3 * agent)) == [0, 1]


def test_a_silent_channel_is_kept_beside_a_speaking_one_and_once(voice: Voice) -> None:
    sound, silence = voice(3, 8000), np.zeros(24_000, np.float32)
    assert kept(stack(sound, silence)) == [0, 1]
    assert kept(stack(silence, sound)) == [0, 1]
    assert kept(stack(silence, silence, sound)) == [0, 2]
    assert kept(stack(silence, silence + 0.25)) == [0]


def test_of_more_channels_each_sound_is_kept_once(voice: Voice) -> None:
    first, second = voice(3, 8000, seed=0), voice(3, 8000, seed=1)
    assert kept(stack(first, second, first, second, first)) == [0, 1]


def test_a_call_longer_than_a_block_is_compared_as_a_whole(voice: Voice) -> None:
    sound = np.tile(voice(10, 8000), 8)
    other = sound.copy()
    other[-160_000:] = np.tile(voice(10, 8000, seed=1), 2)
    assert kept(stack(sound, sound)) == [0]
    assert kept(stack(sound, other)) == [0, 1]
    assert kept(stack(sound, later(other, 80))) == [0, 1]


def test_no_sound_at_all_is_one_silent_channel() -> None:
    assert kept(Audio(np.zeros((2, 0), np.float32), 8000)) == [0]


@pytest.mark.parametrize("samples", [1, 7, 160, 400])
def test_a_shifted_copy_is_found_and_its_shift_told(voice: Voice, samples: int) -> None:
    sound = voice(6, 8000)
    (repeat,) = repeated_channels(tracks_of(stack(sound, -0.3 * later(sound, samples))))
    assert (repeat.channel, repeat.of, repeat.lag_s) == (1, 0, samples / 8000)
    (repeat,) = repeated_channels(tracks_of(stack(later(sound, samples), sound)))
    assert repeat.lag_s == -samples / 8000


def test_a_shift_by_part_of_a_sample_is_found(voice: Voice) -> None:
    fine = voice(6, 48_000)
    sounds = [soxr.resample(later(fine, samples), 48_000, 8000) for samples in (0, 63)]
    (repeat,) = repeated_channels(tracks_of(stack(*sounds)))
    assert repeat.lag_s == pytest.approx(63 / 48_000, abs=1 / 8000)


def test_an_answer_in_the_same_words_is_no_copy(voice: Voice) -> None:
    sound = voice(6, 8000)
    assert kept(stack(sound, later(sound, 4000))) == [0, 1]


def test_the_size_of_a_block_changes_nothing(voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = voice(6, 8000)
    tracks = tracks_of(stack(sound, 0.5 * later(sound, 37)))
    whole = repeated_channels(tracks)
    monkeypatch.setattr(channels, "BLOCK", 1013)
    assert repeated_channels(tracks) == whole


def test_it_is_said_why_a_channel_is_left_out(voice: Voice, caplog: pytest.LogCaptureFixture) -> None:
    sound, silence = voice(3, 8000), np.zeros(24_000, np.float32)
    with caplog.at_level(logging.INFO, logger="callscope_preprocessing.channels"):
        kept(stack(sound, later(sound, 8), silence, silence))
    first, second = caplog.messages
    assert "channel 1 repeats channel 0, +1.0 ms later (correlation 1.0000)" in first
    assert "channel 3 is as silent as channel 2" in second
