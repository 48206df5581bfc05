"""Speaks the three call scripts: stereo, agent left and customer right, 8 kHz µ-law as telephone switches record."""

from __future__ import annotations

import argparse
import random
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
import torch
from demo.recipe import augment, texts, voices
from numpy.typing import NDArray

CALLS = Path(__file__).parents[1] / "calls"
LINE_RATE_HZ = 8_000
SENTENCE_PAUSE_S = (0.25, 0.45)
NOISE_DB = -52.0
SPEAKERS = ("agent", "customer")
VOICES = {
    "en": {"agent": ("flite", "slt"), "customer": ("flite", "awb")},
    "ja": {"agent": ("pyopenjtalk", "mei"), "customer": ("espeak-ng", "m3")},
    "ko": {"agent": ("espeak-ng", "f5"), "customer": ("espeak-ng", "m7")},
}


@dataclass(frozen=True, slots=True)
class Spoken:
    """One sentence on the call's clock."""

    speaker: str
    start_s: float
    samples: NDArray[np.float32]

    @property
    def end_s(self) -> float:
        """When it ends."""
        return self.start_s + len(self.samples) / voices.RATE_HZ


SEEDS = {"en": 1, "ja": 1, "ko": 233}  # the Korean script is the longest: a seed of two brisk speakers


def voice_of(language: str, speaker: str) -> voices.Voice:
    """The voice that speaks a role."""
    engine, name = VOICES[language][speaker]
    return next(voice for voice in voices.voices(language) if (voice.engine, voice.name) == (engine, name))


def speak(script: dict[str, Any], seed: int) -> list[Spoken]:
    """Every sentence of a script, placed in time; a speaker keeps rate and pitch throughout."""
    language, pauses = script["language"], random.Random(seed)
    said: list[Spoken] = []
    for turn in script["turn"]:
        clock = max(0.0, (said[-1].end_s if said else 0.0) + turn["gap_s"])
        voice = voice_of(language, turn["speaker"])
        for text, _ in turn["sentences"]:
            manner = random.Random(f"{language}/{turn['speaker']}/{seed}")
            said.append(Spoken(turn["speaker"], clock, voices.synthesize(voice, text, manner)))
            clock = said[-1].end_s + pauses.uniform(*SENTENCE_PAUSE_S)
    return said


def mix(said: list[Spoken], seed: int) -> NDArray[np.float32]:
    """(frames, 2) at the line's rate: band-limited, with a little noise on each channel."""
    generator = torch.Generator().manual_seed(seed)
    frames = int((said[-1].end_s + 0.8) * voices.RATE_HZ)
    channels = torch.zeros(len(SPEAKERS), frames)
    for sentence in said:
        start = int(sentence.start_s * voices.RATE_HZ)
        channels[SPEAKERS.index(sentence.speaker), start : start + len(sentence.samples)] += torch.from_numpy(
            sentence.samples
        )
    channels = augment.telephone(channels, generator, share=1.0)
    channels = channels + 10 ** (NOISE_DB / 20) * augment.noise(len(SPEAKERS), frames, generator)
    return soxr.resample(channels.numpy().T, voices.RATE_HZ, LINE_RATE_HZ).astype(np.float32)


def rttm(language: str, said: list[Spoken]) -> str:
    """Who speaks when, in NIST's RTTM."""
    return "".join(
        f"SPEAKER {language} {SPEAKERS.index(one.speaker) + 1} {one.start_s:.3f} {one.end_s - one.start_s:.3f} "
        f"<NA> <NA> {one.speaker} <NA> <NA>\n"
        for one in said
    )


def main() -> None:
    """Command line."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    for language in texts.LANGUAGES:
        script = tomllib.loads((CALLS / f"{language}.toml").read_text(encoding="utf-8"))
        said = speak(script, SEEDS[language])
        soundfile.write(CALLS / f"{language}.wav", mix(said, SEEDS[language]), LINE_RATE_HZ, subtype="ULAW")
        (CALLS / f"{language}.rttm").write_text(rttm(language, said), encoding="utf-8")
        longest_s = max(len(one.samples) for one in said) / voices.RATE_HZ
        print(f"{language}: {said[-1].end_s:.1f} s, {len(said)} sentences, longest {longest_s:.1f} s")


if __name__ == "__main__":
    main()
