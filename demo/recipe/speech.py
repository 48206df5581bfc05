"""Speaks the training and held-out sentences into shards on disk; resumable, seeded by shard."""

from __future__ import annotations

import argparse
import json
import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from demo.recipe import texts, voices
from numpy.typing import NDArray

UTTERANCES_PER_SHARD = 250
SHUFFLED_SHARE = 0.2
LONGEST_S = 7.5


@dataclass(frozen=True, slots=True)
class Shard:
    """What one worker makes in one go."""

    folder: Path
    language: str
    split: texts.Split
    index: int

    @property
    def path(self) -> Path:
        """Where the shard lies."""
        return self.folder / f"{self.split}-{self.language}-{self.index:04d}.npz"


def _one(shard: Shard, rng: random.Random) -> tuple[NDArray[np.int16], str, str]:
    held_out = shard.split == "held-out"
    while True:
        voice = voices.draw(shard.language, rng, held_out=held_out)
        if not held_out and rng.random() < SHUFFLED_SHARE:
            text = texts.shuffled_words(shard.language, rng)
        else:
            text = texts.sentence(shard.language, shard.split, rng)[1]
        samples = voices.synthesize(voice, text, rng)
        if len(samples) < LONGEST_S * voices.RATE_HZ:
            return (samples * 32767).astype(np.int16), texts.spoken(text), voice.label


def make(shard: Shard) -> Path:
    """Speaks one shard, unless it is there already."""
    if shard.path.exists():
        return shard.path
    rng = random.Random(f"{shard.split}/{shard.language}/{shard.index}")
    made = [_one(shard, rng) for _ in range(UTTERANCES_PER_SHARD)]
    temporary = shard.path.with_suffix(".tmp.npz")
    np.savez(
        temporary,
        samples=np.concatenate([samples for samples, _, _ in made]),
        lengths=np.array([len(samples) for samples, _, _ in made]),
        about=np.array(json.dumps([(text, voice) for _, text, voice in made])),
    )
    temporary.rename(shard.path)
    return shard.path


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shards", type=int, default=48, help="training shards a language, 250 utterances each")
    parser.add_argument("--held-out-shards", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    plan = [
        Shard(arguments.folder, language, "held-out", index)
        for index in range(arguments.held_out_shards)
        for language in texts.LANGUAGES
    ]
    plan += [
        Shard(arguments.folder, language, "train", index)
        for index in range(arguments.shards)
        for language in texts.LANGUAGES
    ]
    with ProcessPoolExecutor(arguments.workers) as pool:
        for path in pool.map(make, plan):
            print(path.name, flush=True)


if __name__ == "__main__":
    main()
