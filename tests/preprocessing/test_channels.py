from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.audio import Audio
from callscope_preprocessing.channels import split_channels

Voice = Callable[..., NDArray[np.float32]]


def stack(*channels: NDArray[np.float32]) -> Audio:
    return Audio(np.stack(channels).astype(np.float32), 8000)


def kept(audio: Audio) -> list[int]:
    """Which channels of `audio` the split kept."""
    parts = split_channels(audio)
    assert all(part.samples.shape == (1, audio.samples.shape[1]) and part.rate_hz == 8000 for part in parts)
    return [
        next(i for i, own in enumerate(audio.samples) if own is not None and (own == part.samples[0]).all())
        for part in parts
    ]


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


def test_no_sound_at_all_is_one_silent_channel() -> None:
    assert len(split_channels(Audio(np.zeros((2, 0), np.float32), 8000))) == 1
