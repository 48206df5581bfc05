"""Speakers told apart, by whatever is at hand."""

from __future__ import annotations

import importlib.util
import pickle
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from callscope_preprocessing.audio import Span
from callscope_preprocessing.diarization_errors import EngineMissing, ModelWrong
from callscope_preprocessing.diarize import DiarizeSettings, diarize
from callscope_preprocessing.speakers import Diarization, SpeakerCount
from callscope_preprocessing.track import Track, track_of
from callscope_preprocessing.voices.weights import read_weights

RATE_HZ = 16_000
ALONE = DiarizeSettings(engine="light", networks=Path("/nowhere"))
"""Without networks, wherever the tests run."""


def coloured(seconds: float, low: float, high: float, seed: int) -> np.ndarray:
    """Noise in one band, in syllables: a voice of a kind, float64, shape (samples,)."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(0, 1, round(seconds * RATE_HZ)))
    hertz = np.fft.rfftfreq(round(seconds * RATE_HZ), 1 / RATE_HZ)
    spectrum[(hertz < low) | (hertz > high)] *= 0.02
    sound = np.fft.irfft(spectrum, round(seconds * RATE_HZ))
    return 3000 * sound / np.abs(sound).max()


def dialogue() -> tuple[Track, list[Span]]:
    """Two kinds of noise in turn, 4 s each, as one track, with half a second between."""
    parts = [coloured(4, 200, 1500, n) if n % 2 else coloured(4, 1200, 5000, n) for n in range(8)]
    silence = np.zeros(RATE_HZ // 2)
    pcm = np.concatenate([each for part in parts for each in (part, silence)]).astype(np.int16)
    return track_of(pcm, RATE_HZ), [Span(n * 4.5, n * 4.5 + 4) for n in range(8)]


def longest_by(found: Diarization, span: Span) -> str:
    """Who speaks most within a span."""
    shares: dict[str, float] = {}
    for turn in found.exclusive:
        common_s = min(turn.span.end_s, span.end_s) - max(turn.span.start_s, span.start_s)
        shares[turn.speaker] = shares.get(turn.speaker, 0.0) + max(common_s, 0.0)
    return max(shares, key=shares.__getitem__)


def test_spectra_alone_tell_two_kinds_of_sound_apart_and_say_that_they_are_less() -> None:
    track, speech = dialogue()
    found = diarize(track, speech, ALONE)
    assert [longest_by(found, span) for span in speech] == ["SPEAKER_00", "SPEAKER_01"] * 4
    assert found.method == "spectra"
    assert "by their spectra alone" in found.degraded


def monologue() -> tuple[Track, list[Span]]:
    """One kind of noise, 4 s at a time, with half a second between."""
    silence = np.zeros(RATE_HZ // 2)
    pcm = np.concatenate([each for n in range(8) for each in (coloured(4, 200, 1500, n), silence)]).astype(np.int16)
    return track_of(pcm, RATE_HZ), [Span(n * 4.5, n * 4.5 + 4) for n in range(8)]


def test_spectra_that_tell_nobody_apart_give_one_speaker() -> None:
    track, speech = monologue()
    assert diarize(track, speech, ALONE).speakers == ("SPEAKER_00",)


def test_two_speakers_asked_for_are_two_however_alike() -> None:
    track, speech = monologue()
    two = DiarizeSettings(engine="light", networks=Path("/nowhere"), speakers=SpeakerCount(2, 2))
    assert diarize(track, speech, two).speakers == ("SPEAKER_00", "SPEAKER_01")


def test_of_little_speech_two_speakers_are_assumed_as_before() -> None:
    track, speech = monologue()
    assert len(diarize(track, speech[:3], ALONE).speakers) == 2


def test_one_speaker_asked_for_is_one() -> None:
    track, speech = dialogue()
    one = DiarizeSettings(engine="light", networks=Path("/nowhere"), speakers=SpeakerCount(1, 1))
    assert diarize(track, speech, one).speakers == ("SPEAKER_00",)


def test_turns_lie_within_speech_but_for_the_edges_of_units() -> None:
    track, speech = dialogue()
    for turn in diarize(track, speech, ALONE).turns:
        assert any(span.start_s - 0.25 <= turn.span.start_s and turn.span.end_s <= span.end_s + 0.25 for span in speech)


def test_without_speech_nobody_speaks() -> None:
    track, _ = dialogue()
    assert diarize(track, [], ALONE).turns == ()


def test_a_word_is_enough_for_one_speaker() -> None:
    track, _ = dialogue()
    found = diarize(track, [Span(0.0, 0.2)], ALONE)
    assert found.speakers == ("SPEAKER_00",)
    assert found.degraded


@pytest.mark.skipif(bool(importlib.util.find_spec("pyannote")), reason="pyannote.audio is installed here")
def test_without_pyannote_its_engine_says_what_to_install_and_auto_does_without() -> None:
    track, speech = dialogue()
    with pytest.raises(EngineMissing, match=r"pip install 'callscope\[diarize\]'"):
        diarize(track, speech, DiarizeSettings(engine="pyannote"))
    found = diarize(track, speech, DiarizeSettings(networks=Path("/nowhere")))
    assert "pyannote.audio is not installed" in found.degraded


@pytest.mark.parametrize("model", ["/no/such/folder", "./nor/this", "not an id"])
def test_a_model_that_is_nowhere_is_named(model: str) -> None:
    track, speech = dialogue()
    with pytest.raises(ModelWrong, match="neither a folder nor a hub id"):
        diarize(track, speech, DiarizeSettings(engine="pyannote", model=model))


def test_a_folder_without_a_pipeline_is_named(tmp_path: Path) -> None:
    track, speech = dialogue()
    with pytest.raises(ModelWrong, match=r"has no config\.yaml"):
        diarize(track, speech, DiarizeSettings(engine="pyannote", model=str(tmp_path)))


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="no engine 'best'"):
        DiarizeSettings(engine="best")


def test_a_token_is_not_shown() -> None:
    assert "secret" not in repr(DiarizeSettings(token="secret"))


class _Harm:
    def __reduce__(self) -> tuple[object, ...]:
        return sys.exit, (9,)


def test_nothing_pickled_in_a_checkpoint_is_run(tmp_path: Path) -> None:
    path = tmp_path / "harm.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"weights": _Harm()}))
    assert read_weights(path) == {}


def test_a_file_that_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    path = tmp_path / "text.pt"
    path.write_text("no weights")
    with pytest.raises(ValueError, match="is not a PyTorch checkpoint"):
        read_weights(path)
