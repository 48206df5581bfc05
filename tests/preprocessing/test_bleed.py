"""Speech carried over from another channel is taken out, and one's own is kept, above all while both speak."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from callscope_preprocessing import bleed
from callscope_preprocessing.audio import Audio, Span
from callscope_preprocessing.bleed import remove_bleed
from callscope_preprocessing.decode import decode
from callscope_preprocessing.pcm import to_int16
from callscope_preprocessing.speech import Dropped, Speech
from callscope_preprocessing.track import track_of, tracks_of
from callscope_preprocessing.vad import detect_speech

from .conftest import babble

Sound = NDArray[np.float32]

RATE_HZ = 8000
STEP_HZ = 100


def turns(spans: list[tuple[float, float]], seconds: float, *, seed: int) -> Sound:
    """A voice in these spans, over faint noise."""
    voice = babble(seconds, RATE_HZ, seed=seed)
    time_s = np.arange(len(voice)) / RATE_HZ
    speaks = np.zeros(len(voice), bool)
    for start_s, end_s in spans:
        speaks |= (time_s >= start_s) & (time_s < end_s)
    noise = np.random.default_rng(seed + 100).normal(0, 3e-4, len(voice))
    return np.asarray(voice * speaks + noise, np.float32)


def carried(sound: Sound, rate_hz: int, level_db: float, delay_ms: float, *, filtered: bool) -> Sound:
    """What a line lets through of a sound: fainter, later, and in a telephone's band with an echo."""
    way = sound.astype(np.float64)
    if filtered:
        hz = np.fft.rfftfreq(len(way), 1 / rate_hz)
        band = 1 / np.sqrt((1 + (400 / np.maximum(hz, 1)) ** 4) * (1 + (hz / 2400) ** 6))
        way = np.fft.irfft(np.fft.rfft(way) * band, len(way))
        way[rate_hz // 100 :] += 0.3 * way[: -rate_hz // 100].copy()
    way = np.concatenate((np.zeros(round(delay_ms * rate_hz / 1000)), way))[: len(way)]
    return np.asarray(10 ** (level_db / 20) * way, np.float32)


def found_in(channels: list[Sound], rate_hz: int) -> list[Speech]:
    return [detect_speech(track_of(to_int16(sound), rate_hz)) for sound in channels]


def cleaned(channels: list[Sound], rate_hz: int = RATE_HZ) -> tuple[Speech, ...]:
    return remove_bleed(tracks_of(Audio(np.stack(channels), rate_hz)), found_in(channels, rate_hz))


def steps(spans: tuple[Span, ...], count: int) -> NDArray[np.bool_]:
    inside = np.zeros(count, bool)
    for span in spans:
        inside[int(span.start_s * STEP_HZ) : int(span.end_s * STEP_HZ)] = True
    return inside


def levels_db(sound: Sound, rate_hz: int) -> NDArray[np.float64]:
    size = rate_hz // STEP_HZ
    power = (sound[: len(sound) // size * size].reshape(-1, size).astype(np.float64) ** 2).mean(axis=1)
    return 10 * np.log10(power + 1e-12)


def test_a_voice_that_is_only_carried_over_is_no_speech_there() -> None:
    agent, customer = turns([(1, 7)], 16, seed=0), turns([(9, 14)], 16, seed=1)
    channels = [agent, customer + carried(agent, RATE_HZ, -20, 12, filtered=True)]
    first, second = cleaned(channels)
    assert [round(span.start_s) for span in first.spans] == [1]
    assert [round(span.start_s) for span in second.spans] == [9]
    before = set(found_in(channels, RATE_HZ)[1].dropped)
    assert {one.reason for one in set(second.dropped) - before} == {"bleed"}
    assert sum(one.span.duration_s for one in second.dropped) > 2
    assert first.dropped == ()


@pytest.mark.parametrize("own_db", [0.0, -10.0, -18.0])
def test_who_speaks_while_the_other_does_is_kept(own_db: float) -> None:
    agent, customer = turns([(1, 13)], 16, seed=0), turns([(5, 8)], 16, seed=1) * np.float32(10 ** (own_db / 20))
    _, second = cleaned([agent, customer + carried(agent, RATE_HZ, -24, 12, filtered=True)])
    kept = steps(second.spans, 1600)
    assert kept[510:790].mean() > 0.95
    assert not kept[150:450].any()
    assert not kept[850:1250].any()


def test_where_nothing_leaks_all_is_as_it_was() -> None:
    channels = [turns([(1, 7), (9, 12)], 16, seed=0), turns([(5, 8), (12, 15)], 16, seed=1)]
    assert list(cleaned(channels)) == found_in(channels, RATE_HZ)


def test_a_single_channel_is_as_it_was() -> None:
    channels = [turns([(1, 7)], 10, seed=0)]
    assert list(cleaned(channels)) == found_in(channels, RATE_HZ)


def test_what_was_dropped_before_stays_so() -> None:
    agent, customer = turns([(1, 7)], 16, seed=0), turns([(9, 14)], 16, seed=1)
    channels = [agent, customer + carried(agent, RATE_HZ, -20, 0, filtered=False)]
    before = Dropped(Span(15.0, 15.5), "keys")
    speech = [Speech(one.spans, (before,)) for one in found_in(channels, RATE_HZ)]
    first, second = remove_bleed(tracks_of(Audio(np.stack(channels), RATE_HZ)), speech)
    assert first.dropped == (before,)
    assert [one.reason for one in second.dropped] == ["bleed", "keys"]


def test_three_channels_are_judged_against_each_other() -> None:
    agent, customer, third = turns([(1, 7)], 24, seed=0), turns([(9, 14)], 24, seed=1), turns([(16, 22)], 24, seed=2)
    carried_over = carried(agent, RATE_HZ, -20, 5, filtered=True) + carried(customer, RATE_HZ, -15, 9, filtered=True)
    *_, last = cleaned([agent, customer, third + carried_over])
    assert [round(span.start_s) for span in last.spans] == [16]


def test_the_size_of_a_block_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    agent, customer = turns([(1, 7)], 16, seed=0), turns([(9, 14)], 16, seed=1)
    channels = [agent, customer + carried(agent, RATE_HZ, -20, 12, filtered=True)]
    whole = cleaned(channels)
    monkeypatch.setattr(bleed, "BLOCK_S", 1.0)
    assert cleaned(channels) == whole


CALL = ("calls/Auto_Repairs_40_UTC_agent.wav", "calls/Auto_Repairs_40_UTC_caller.wav")


@pytest.mark.parametrize(("level_db", "delay_ms"), list(product((-12, -20, -30), (0, 30))))
@pytest.mark.parametrize("turned", [False, True], ids=["agent", "caller"])
def test_in_a_real_call_it_goes_and_own_speech_stays(
    shared_data: Path, turned: bool, level_db: float, delay_ms: float
) -> None:
    source, own = (decode(shared_data / name).samples[0] for name in (reversed(CALL) if turned else CALL))
    way = carried(source, RATE_HZ, level_db, delay_ms, filtered=True)
    channels = [source, own + way]
    before, after = found_in(channels, RATE_HZ), cleaned(channels)
    assert after[0].spans == before[0].spans
    level, other = levels_db(own, RATE_HZ), levels_db(way, RATE_HZ)
    count = len(level)
    heard, kept = steps(before[1].spans, count), steps(after[1].spans, count)
    speaks = steps(found_in([own], RATE_HZ)[0].spans, count)
    loud = speaks & heard & (level > np.percentile(level[speaks], 90) - 30)
    leaked = heard & ~speaks & (other > level + 6) & (other > -60)
    assert (loud & ~kept).sum() <= 0.005 * loud.sum()
    assert (leaked & kept).sum() <= 0.05 * leaked.sum()


@pytest.mark.parametrize("name", [*CALL[:1], "calls/two_channel_16k.wav"])
def test_real_channels_without_a_leak_are_as_they_were(shared_data: Path, name: str) -> None:
    audio = decode(shared_data / name)
    other = decode(shared_data / CALL[1]).samples if audio.channels == 1 else audio.samples[:0]
    channels = list(np.concatenate((audio.samples, other)))
    assert list(cleaned(channels, audio.rate_hz)) == found_in(channels, audio.rate_hz)
