"""Makes synthetic speech sound like calls: pauses, line, noise, companding; and the log-mel of whole batches."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from transformers import WhisperFeatureExtractor

RATE_HZ = 16_000


def log_mel(audio: Tensor, extractor: WhisperFeatureExtractor) -> Tensor:
    """Whisper's features of a batch: (rows, samples) -> (rows, mels, frames)."""
    window = torch.hann_window(extractor.n_fft)
    spectrum = torch.stft(audio, extractor.n_fft, extractor.hop_length, window=window, return_complex=True)
    power = spectrum[..., :-1].abs() ** 2
    mel = torch.from_numpy(extractor.mel_filters).float().T @ power
    log = mel.clamp(min=1e-10).log10()
    floor = log.amax(dim=(1, 2), keepdim=True) - 8.0
    return (torch.maximum(log, floor) + 4.0) / 4.0


def telephone(audio: Tensor, generator: torch.Generator, share: float = 0.85) -> Tensor:
    """Band-limits most rows to a telephone line's 300-3400 Hz, the edges varying from row to row."""
    rows, samples = audio.shape
    hz = torch.fft.rfftfreq(samples, 1 / RATE_HZ)
    low = 60 + 280 * torch.rand(rows, 1, generator=generator)
    high = 3200 + 700 * torch.rand(rows, 1, generator=generator)
    passed = torch.sigmoid((hz - low) / 25) * torch.sigmoid((high - hz) / 60)
    untouched = (torch.rand(rows, 1, generator=generator) > share).float()
    return torch.fft.irfft(torch.fft.rfft(audio) * torch.maximum(passed, untouched), n=samples)


def noise(rows: int, samples: int, generator: torch.Generator) -> Tensor:
    """Unit-power noise, each row with its own spectral slope between white and brown."""
    slope = torch.rand(rows, 1, generator=generator) * 1.2
    hz = torch.fft.rfftfreq(samples, 1 / RATE_HZ).clamp(min=20.0)
    shaped = torch.fft.rfft(torch.randn(rows, samples, generator=generator)) * hz ** (-slope)
    sound = torch.fft.irfft(shaped, n=samples)
    return sound / sound.pow(2).mean(dim=1, keepdim=True).sqrt().clamp(min=1e-9)


def add_noise(audio: Tensor, generator: torch.Generator, share: float = 0.3) -> Tensor:
    """Adds noise at 15-50 dB under the speech to a share of the rows."""
    rows, samples = audio.shape
    level = audio.pow(2).mean(dim=1, keepdim=True).sqrt()
    snr_db = 15 + 35 * torch.rand(rows, 1, generator=generator)
    on = (torch.rand(rows, 1, generator=generator) < share).float()
    return audio + on * level * 10 ** (-snr_db / 20) * noise(rows, samples, generator)


def compand(audio: Tensor, generator: torch.Generator, share: float = 0.4) -> Tensor:
    """Eight-bit µ-law and back for a share of the rows (ITU-T G.711's curve)."""
    on = torch.rand(audio.shape[0], 1, generator=generator) < share
    audio = audio.clamp(-1, 1)
    code = torch.round(127 * audio.sign() * torch.log1p(255 * audio.abs()) / math.log(256)) / 127
    return torch.where(on, code.sign() * (torch.exp(code.abs() * math.log(256)) - 1) / 255, audio)


def gain(audio: Tensor, generator: torch.Generator) -> Tensor:
    """Each row at its own level, -24 to 0 dB."""
    return audio * 10 ** (-1.2 * torch.rand(audio.shape[0], 1, generator=generator))


def equalize(mel: Tensor, generator: torch.Generator, decibels: float = 5.0) -> Tensor:
    """Each row through its own smooth equalizer, as microphones, rooms and throats differ."""
    rows, mels, _ = mel.shape
    curve = torch.randn(rows, 1, 6, generator=generator) * decibels / 10 / 4
    return mel + torch.nn.functional.interpolate(curve, mels, mode="linear", align_corners=True).transpose(1, 2)


def line(audio: Tensor, generator: torch.Generator) -> Tensor:
    """The whole way from a mouth to the recording."""
    return compand(gain(telephone(add_noise(audio, generator), generator), generator), generator)


def not_speech(samples: int, generator: torch.Generator) -> Tensor:
    """One row without speech: silence, noise, tones, ring-back or clicks."""
    seconds = torch.arange(samples) / RATE_HZ
    kind = int(torch.randint(5, (1,), generator=generator))
    if kind == 0:
        return torch.zeros(samples)
    if kind == 1:
        return 0.2 * noise(1, samples, generator)[0]
    hz = 200 + 1800 * torch.rand(3, generator=generator)
    tones = sum(torch.sin(2 * math.pi * one * seconds) for one in hz[: kind - 1]) * 0.15
    cadence = 0.3 + 2 * float(torch.rand(1, generator=generator))
    return tones * (torch.fmod(seconds, 2 * cadence) < cadence) if kind == 4 else tones
