"""Free synthesizers, each utterance with its own rate, pitch and length of the vocal tract.

espeak-ng (GPL-3.0-or-later programme, Debian `espeak-ng`), flite (BSD-like, Debian `flite`; voices from CMU ARCTIC and
kal), festival's `ked` diphone voice (BSD-like, Debian `festvox-kdlpc16k`), and pyopenjtalk-plus (MIT) with the HTS
voice "Mei" (CC BY 3.0, HTS Working Group / MMDAgent).
"""

from __future__ import annotations

import random
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

RATE_HZ = 16_000
ESPEAK_RATE_HZ = 22_050
ESPEAK_DIALECTS = {"en": ("en-us", "en-gb", "en-us"), "ja": ("ja",), "ko": ("ko",)}
ESPEAK_TRAIN = (
    "f1 f2 f3 f5 m1 m2 m3 m4 m5 m7 m8 Alex Alicia Andy Annie Denis Diogo Gene Henrique Hugo Jacky Lee Marco Mario "
    "Mike Nguyen adam anika antonio aunty belinda benjamin boris caleb david ed edward grandma gustave iven john "
    "klatt2 klatt4 marcelo max michel miguel norbert pablo paul pedro rob robert sandro shelby steph travis "
    "victor zac"
).split()
ESPEAK_HELD_OUT = "f4 m6 linda Michael quincy Andrea".split()

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Voice:
    """A synthesizer's voice; `weight` is how often training draws it."""

    language: str
    engine: str
    name: str
    weight: float
    held_out: bool = False

    @property
    def label(self) -> str:
        """Engine and voice, as the tables print them."""
        return f"{self.engine}/{self.name}"


def _espeak(language: str, total: float) -> list[Voice]:
    weight = total / len(ESPEAK_TRAIN)
    return [Voice(language, "espeak-ng", name, weight) for name in ESPEAK_TRAIN] + [
        Voice(language, "espeak-ng", name, 1.0, held_out=True) for name in ESPEAK_HELD_OUT
    ]


@cache
def voices(language: str) -> tuple[Voice, ...]:
    """Every voice of a language, the held-out ones included."""
    if language == "en":
        human = [
            Voice("en", "flite", "kal16", 0.12),
            Voice("en", "flite", "awb", 0.16),
            Voice("en", "flite", "slt", 0.16),
        ]
        human += [Voice("en", "festival", "ked", 0.08), Voice("en", "flite", "rms", 1.0, held_out=True)]
        return (*human, *_espeak("en", 0.48))
    if language == "ja":
        return (Voice("ja", "pyopenjtalk", "mei", 0.55), *_espeak("ja", 0.45))
    return tuple(_espeak("ko", 1.0))


def draw(language: str, rng: random.Random, *, held_out: bool) -> Voice:
    """A random voice of one split."""
    choice = [voice for voice in voices(language) if voice.held_out == held_out]
    return rng.choices(choice, [voice.weight for voice in choice])[0]


def synthesize(voice: Voice, text: str, rng: random.Random) -> Samples:
    """Speech for a text, float32 at 16 kHz, silence at both ends cut.

    Playing the sound `warp` times faster moves pitch and formants together, as a shorter vocal tract does.
    """
    samples = _speak(voice, text, rng)
    first, end = _sounding(samples)
    samples = samples[first:end]
    return (samples * (0.5 / max(1e-4, float(np.abs(samples).max())))).astype(np.float32)


def draw_warp(voice: Voice, rng: random.Random) -> float:
    """The first random number of `synthesize`: how many times faster the sound is played."""
    return rng.uniform(0.86, 1.18) if voice.engine != "espeak-ng" else rng.uniform(0.94, 1.08)


def leading_silence_s(voice: Voice, text: str, rng: random.Random) -> float:
    """What `synthesize` cuts off at the beginning, in seconds."""
    return _sounding(_speak(voice, text, rng))[0] / RATE_HZ


def _speak(voice: Voice, text: str, rng: random.Random) -> Samples:
    warp = draw_warp(voice, rng)
    samples, rate_hz = _ENGINES[voice.engine](voice, text, rng)
    return soxr.resample(samples, rate_hz * warp, RATE_HZ, quality="MQ").astype(np.float32)


def _sounding(samples: Samples, frame: int = 160) -> tuple[int, int]:
    """The first sample that is not silence, and the one after the last."""
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
    loud = np.flatnonzero(np.abs(frames).max(axis=1) > 0.01 * np.abs(samples).max())
    return int(loud[0]) * frame, (int(loud[-1]) + 1) * frame


def _speak_espeak(voice: Voice, text: str, rng: random.Random) -> tuple[Samples, float]:
    if voice.language == "ja":
        import pyopenjtalk  # noqa: PLC0415 - only Japanese needs it

        text = pyopenjtalk.g2p(text, kana=True)
    speaker = f"{rng.choice(ESPEAK_DIALECTS[voice.language])}+{voice.name}"
    pace, pitch = str(rng.randint(130, 185)), str(rng.randint(30, 70))
    command = ["espeak-ng", "-v", speaker, "-s", pace, "-p", pitch, "--stdout", text]
    wav = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(wav[44 : len(wav) // 2 * 2], dtype="<i2").astype(np.float32) / 32768, ESPEAK_RATE_HZ


def _speak_flite(voice: Voice, text: str, rng: random.Random) -> tuple[Samples, float]:
    stretch = f"duration_stretch={rng.uniform(0.8, 1.1):.3f}"
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run(["flite", "-voice", voice.name, "--setf", stretch, "-t", text, "-o", file.name], check=True)
        return soundfile.read(file.name, dtype="float32")


def _speak_festival(voice: Voice, text: str, rng: random.Random) -> tuple[Samples, float]:
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "speech.wav"
        script = (
            f'(begin (voice_{voice.name}_diphone) (Parameter.set "Duration_Stretch" {rng.uniform(0.8, 1.1):.3f}) '
            f'(utt.save.wave (utt.synth (Utterance Text "{text}")) "{wav}"))'
        )
        subprocess.run(["festival", "-b", script], check=True, capture_output=True)
        return soundfile.read(wav, dtype="float32")


def _speak_pyopenjtalk(voice: Voice, text: str, rng: random.Random) -> tuple[Samples, float]:
    import pyopenjtalk  # noqa: PLC0415 - only Japanese needs it

    samples, rate_hz = pyopenjtalk.tts(text, speed=rng.uniform(0.85, 1.2), half_tone=rng.uniform(-4, 3))
    return (samples / 32768).astype(np.float32), rate_hz


_ENGINES = {
    "espeak-ng": _speak_espeak,
    "flite": _speak_flite,
    "festival": _speak_festival,
    "pyopenjtalk": _speak_pyopenjtalk,
}
