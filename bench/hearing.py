"""Tables of voice activity detection and denoising."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.nonspeech import KINDS, RATE_HZ
from callscope_preprocessing.audio import Audio, Span
from callscope_preprocessing.decode import decode
from callscope_preprocessing.denoise import denoise
from callscope_preprocessing.noise import estimate_snr_db, needs_denoising
from callscope_preprocessing.resample import resample
from callscope_preprocessing.speech import Speech
from callscope_preprocessing.track import Track, tracks_of
from callscope_preprocessing.vad import DENOISED_MODE, VadSettings, detect_speech

Floats = NDArray[np.float64]
STEP_HZ = 100
SNRS_DB = (20, 10, 5, 0)
DETECTORS = ("webrtc", "silero")
WORKERS = 2
LONGEST_S = 60


def speech_found(folder: Path) -> str:
    """Miss and false alarm of each labelled recording, clean and with noise."""
    rows = [
        "Missed and falsely found, each in % of the speech that is marked, steps of 10 ms, no collar. References of "
        "`trn*` mark some voices of a meeting only; those of `Auto_Repairs`, of which the first minute counts, come "
        "from another detector. `off`, `detect` and `all` say when the detector hears the sound through RNNoise; after "
        "RNNoise WebRTC works in mode 2, else in 3.",
        "",
        "| recording | noise | estimated SNR | webrtc off | webrtc detect | webrtc all "
        "| silero off | silero detect | silero all |",
        "|---" * 9 + "|",
    ]
    noises = {"noise2": folder / "noise/noise2.wav", "noise3": folder / "noise/noise3.wav"}
    for name, sound, marked in _labelled(folder):
        rows.append(_row(name, "none", sound, marked))
        rows += [_row(name, f"white, {snr} dB", _with(sound, _white(sound), snr), marked) for snr in SNRS_DB]
        rows += [
            _row(name, f"{noise}, {snr} dB", _with(sound, _recorded(path, sound), snr), marked)
            for noise, path in noises.items()
            for snr in (10, 0)
        ]
    return "\n".join(rows)


def nonspeech(_: Path) -> str:
    """How much of a minute of each sound is called speech."""
    rows = ["| 60 s of | webrtc | with nothing rejected | silero |", "|---|---|---|---|"]
    choices = (VadSettings(), VadSettings(reject_steady=False), VadSettings(detector="silero", reject_steady=False))
    for kind, make in KINDS.items():
        (track,) = tracks_of(Audio(np.clip(make(60, 1), -1, 1).astype(np.float32)[np.newaxis], RATE_HZ))
        shares = (f"{detect_speech(track, choice).duration_s / 60:.1%}" for choice in choices)
        rows.append(f"| {kind} | " + " | ".join(shares) + " |")
    return "\n".join(rows)


def denoised_speech(folder: Path) -> str:
    """SI-SDR of noisy sound before and after, against the clean one."""
    rows = ["| recording | SI-SDR noisy | SI-SDR denoised |", "|---|---|---|"]
    for clean, noisy in _pairs(folder):
        before, after, truth = (_floats(track) for track in (noisy[1], denoise(noisy[1], workers=WORKERS), clean))
        rows.append(f"| {noisy[0]} | {si_sdr_db(before, truth):.1f} dB | {si_sdr_db(after, truth):.1f} dB |")
    return "\n".join(rows)


def delays(folder: Path) -> str:
    """How late denoised sound is, by the peak of its correlation with the noisy one."""
    rows = ["| recording | delay |", "|---|---|"]
    for _, (name, noisy) in _pairs(folder):
        late = _lag(_floats(denoise(noisy, workers=WORKERS)), _floats(noisy)) / noisy.rate_hz
        rows.append(f"| {name} | {1000 * late:.2f} ms |")
    return "\n".join(rows)


def si_sdr_db(estimate: Floats, truth: Floats) -> float:
    """Scale-invariant signal-to-distortion ratio (Le Roux et al. 2019)."""
    estimate, truth = estimate - estimate.mean(), truth - truth.mean()
    target = truth * (estimate @ truth) / (truth @ truth)
    return float(10 * np.log10((target @ target) / np.square(estimate - target).sum()))


def read_spans(path: Path, file: str | None = None, speaker: str | None = None) -> list[Span]:
    """Turns of an RTTM file: of one recording, of one speaker, or all."""
    rows = (line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("SPEAKER"))
    chosen = (row for row in rows if file in (None, row[1]) and speaker in (None, row[7]))
    return [Span(float(row[3]), float(row[3]) + float(row[4])) for row in chosen]


def _labelled(folder: Path) -> Iterator[tuple[str, Audio, list[Span]]]:
    for sound in sorted((folder / "diarization").glob("*.wav")):
        own = sound.with_suffix(".rttm")
        spans = read_spans(own) if own.exists() else read_spans(sound.parent / "trn.rttm", sound.stem)
        yield sound.stem, decode(sound), spans
    for marks in sorted((folder / "calls").glob("*.derived.rttm")):
        for speaker in ("agent", "caller"):
            name = f"{marks.name.removesuffix('.derived.rttm')}_{speaker}"
            sound = decode(marks.parent / f"{name}.wav")
            begun = Audio(sound.samples[:, : LONGEST_S * sound.rate_hz], sound.rate_hz)
            yield name, begun, read_spans(marks, speaker=speaker)


def _row(name: str, noise: str, sound: Audio, marked: Sequence[Span]) -> str:
    (track,) = tracks_of(sound)
    denoised = denoise(track, workers=WORKERS)
    cells = []
    snr_db = estimate_snr_db(track, detect_speech(track).spans)
    for detector in DETECTORS:
        raw = _errors(detect_speech(track, VadSettings(detector=detector)), marked, sound.duration_s)
        settings = VadSettings(detector=detector, mode=DENOISED_MODE)
        clean = _errors(detect_speech(denoised, settings), marked, sound.duration_s)
        cells += [raw, clean if needs_denoising(snr_db) else raw, clean]
    told = "-" if snr_db is None else f"{snr_db:.0f} dB"
    print(name, noise, flush=True)
    return f"| {name} | {noise} | {told} | " + " | ".join(cells) + " |"


def _errors(found: Speech, marked: Sequence[Span], duration_s: float) -> str:
    heard, truth = (_steps(spans, duration_s) for spans in (found.spans, marked))
    missed, false = (truth & ~heard).sum() / truth.sum(), (heard & ~truth).sum() / truth.sum()
    return f"{100 * missed:.1f} + {100 * false:.1f}"


def _steps(spans: Sequence[Span], duration_s: float) -> NDArray[np.bool_]:
    inside = np.zeros(int(duration_s * STEP_HZ), np.bool_)
    for span in spans:
        inside[round(span.start_s * STEP_HZ) : round(span.end_s * STEP_HZ)] = True
    return inside


def _white(sound: Audio) -> Floats:
    return np.random.default_rng(0).normal(0, 1, sound.samples.shape[1])


def _recorded(path: Path, sound: Audio) -> Floats:
    return np.resize(resample(decode(path), sound.rate_hz).samples[0], sound.samples.shape[1]).astype(np.float64)


def _with(sound: Audio, noise: Floats, snr_db: float) -> Audio:
    """Sound with noise at that ratio of their mean powers."""
    scale = np.sqrt(np.square(sound.samples[0]).mean() / np.square(noise).mean() / 10 ** (snr_db / 10))
    return Audio(np.clip(sound.samples + scale * noise, -1, 1).astype(np.float32), sound.rate_hz)


def _pairs(folder: Path) -> Iterator[tuple[Track, tuple[str, Track]]]:
    for path in sorted((folder / "noise").glob("*_noisy.wav")):
        (noisy,) = tracks_of(decode(path))
        (clean,) = tracks_of(decode(path.with_name(path.name.replace("noisy", "clean"))))
        yield clean, (path.stem, noisy)


def _floats(track: Track) -> Floats:
    return track.read().astype(np.float64)


def _lag(late: Floats, early: Floats) -> int:
    size = 2 * len(late)
    like = np.fft.irfft(np.fft.rfft(late, size) * np.conj(np.fft.rfft(early, size)))
    place = int(np.argmax(like))
    return place if place < len(late) else place - size
