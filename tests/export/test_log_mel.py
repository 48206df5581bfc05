"""The model `log_mel` against a spectrogram computed with numpy's FFT."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from callscope_export.mel import mel_filters
from callscope_export.whisper import MelSettings

from .fixture_types import OpenModel
from .mel_graph import log_mel, loud_tones

SETTINGS = {bins: MelSettings(16000, 16000, 400, 160, bins) for bins in (80, 128)}


def reference(audio: NDArray[Any], settings: MelSettings) -> NDArray[Any]:
    """Frame by frame with np.fft, in float64; only the mel matrix is shared, and has a test of its own."""
    half = settings.fft_samples // 2
    padded = np.pad(audio.astype(np.float64) / 32768, half, mode="reflect")
    window = np.hanning(settings.fft_samples + 1)[:-1]
    frames = [padded[i : i + settings.fft_samples] * window for i in range(0, len(audio), settings.hop_samples)]
    frames = frames[: settings.frames]
    power = np.abs(np.fft.rfft(frames)) ** 2
    log10 = np.log10(np.maximum(power @ mel_filters(settings), 1e-10)).T
    return (np.maximum(log10, log10.max() - 8) + 4) / 4


def sounds(rng: np.random.Generator) -> NDArray[Any]:
    time = np.arange(16000) / 16000
    chirp = 20000 * np.sin(2 * np.pi * (200 + 1500 * time) * time)
    noise = rng.normal(0, 500, 16000)
    late = np.where(time > 0.7, 8000 * np.sin(2 * np.pi * 440 * time), 0)
    loud = rng.integers(-32768, 32768, 16000)
    return np.stack([chirp, noise, late, loud]).astype(np.int16)


@pytest.mark.parametrize(("name", "bins"), [("multilingual", 80), ("english_only", 128)])
def test_it_equals_a_spectrogram_made_with_an_fft(
    open_model: OpenModel, rng: np.random.Generator, name: str, bins: int
) -> None:
    audio = sounds(rng)
    (mel,) = open_model(name, "log_mel").run(None, {"audio": audio})
    expected = np.stack([reference(row, SETTINGS[bins]) for row in audio])
    assert mel.shape == (4, bins, 100)
    np.testing.assert_allclose(mel, expected, atol=1e-5)


@pytest.mark.parametrize("bins", [80, 128])
def test_quiet_bands_beside_a_loud_tone_are_exact(bins: int) -> None:
    """Sums in single precision lose them: they are wrong by 5e-5 and more there."""
    audio = loud_tones()
    expected = np.stack([reference(row, SETTINGS[bins]) for row in audio])
    np.testing.assert_allclose(log_mel(audio, SETTINGS[bins]), expected, atol=2.5e-5)


@pytest.mark.parametrize(
    "settings",
    [
        MelSettings(16000, 16000, 402, 160, 40),
        MelSettings(16000, 16000, 401, 160, 40),
        MelSettings(16000, 16000, 321, 80, 40),
        MelSettings(16000, 16000, 320, 160, 40),
        MelSettings(16000, 15901, 256, 160, 40),
        MelSettings(22050, 16000, 512, 160, 64),
        MelSettings(8000, 16000, 100, 150, 20),
    ],
    ids=str,
)
def test_any_frame_and_hop_will_do(settings: MelSettings, rng: np.random.Generator) -> None:
    audio = sounds(rng)[:, : settings.window_samples]
    expected = np.stack([reference(row, settings) for row in audio])
    np.testing.assert_allclose(log_mel(audio, settings), expected, atol=2.5e-5)


def test_a_row_does_not_depend_on_louder_rows_beside_it(open_model: OpenModel, rng: np.random.Generator) -> None:
    session, audio = open_model("multilingual", "log_mel"), sounds(rng)
    (together,) = session.run(None, {"audio": audio})
    for row in range(len(audio)):
        (alone,) = session.run(None, {"audio": audio[row : row + 1]})
        np.testing.assert_allclose(together[row], alone[0], atol=1e-6)


def test_silence_is_flat_at_the_floor(open_model: OpenModel) -> None:
    (mel,) = open_model("multilingual", "log_mel").run(None, {"audio": np.zeros((1, 16000), np.int16)})
    np.testing.assert_allclose(mel, (-10 + 4) / 4, atol=1e-6)


@pytest.mark.parametrize("bins", [80, 128])
def test_mel_bands_have_slaney_centres_and_equal_area(bins: int) -> None:
    """Below 1 kHz Slaney's mel is linear with 200/3 Hz a mel; each triangle has an area of 1."""
    filters = mel_filters(SETTINGS[bins])
    highest = 15 + 27 * np.log(8) / np.log(6.4)
    centres = np.linspace(0, highest, bins + 2)[1:-1] * 200 / 3
    bins_hz = np.linspace(0, 8000, 201)
    wide = bins_hz[filters[:, : bins // 4].argmax(axis=0)]
    np.testing.assert_allclose(wide, centres[: bins // 4], atol=20)
    np.testing.assert_allclose(filters[:, -10:].sum(axis=0) * 40, 1, atol=0.02)
    assert (filters >= 0).all()
