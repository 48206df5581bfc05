"""Spoken sentences as they lie on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Utterance:
    """One spoken sentence: int16 at 16 kHz, what the recogniser should write, and who spoke."""

    samples: NDArray[np.int16]
    text: str
    language: str
    voice: str


def read(path: Path) -> Iterator[Utterance]:
    """The utterances of one shard."""
    _, language, _ = path.stem.rsplit("-", 2)
    with np.load(path) as shard:
        ends = np.cumsum(shard["lengths"])
        about = json.loads(str(shard["about"]))
        for samples, (text, voice) in zip(np.split(shard["samples"], ends[:-1]), about, strict=True):
            yield Utterance(samples, text, language, voice)
