"""When each word of the demo calls is said, by the synthesizers' own account: the reference of word times.

espeak-ng tells it by its library's events, flite by the durations of its segments, pyopenjtalk by the states of its
HTS engine. English and Korean words are those between spaces, Japanese ones are morphemes.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import tomllib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

from demo.recipe import calls, texts, voices
from demo.recipe.espeak import Espeak
from demo.recipe.morphemes import Timed, espeak_words, openjtalk_words

MARKS = re.compile("[,.?]")

Times = Callable[[voices.Voice, str, random.Random], Timed]


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word and when it starts on the call's clock."""

    speaker: str
    word: str
    start_s: float


def flite_words(voice: voices.Voice, text: str, rng: random.Random) -> Timed:
    """Words and their starts in seconds; how many segments a word has is asked of flite word by word."""
    stretch = f"duration_stretch={rng.uniform(0.8, 1.1):.3f}"
    ends = [(name, float(end)) for name, end in _segments(voice, text, "-psdur", "--setf", stretch)]
    place, found = 0, []
    for word in text.split():
        while place < len(ends) and ends[place][0] == "pau":
            place += 1
        found.append((word, ends[place - 1][1] if place else 0.0))
        place += sum(name != "pau" for name, _ in _segments(voice, MARKS.sub("", word), "-psdur"))
    return found


def _segments(voice: voices.Voice, text: str, *options: str) -> list[tuple[str, str]]:
    command = ["flite", "-voice", voice.name, *options, "-t", text, "-o", "none"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return [(name, end) for name, _, end in (segment.rpartition(":") for segment in printed)]


def _times(voice: voices.Voice, espeak: Espeak) -> Times:
    """What tells the words of a voice."""
    if voice.language == "ja":
        return openjtalk_words if voice.engine == "pyopenjtalk" else partial(espeak_words, espeak)
    return espeak.words if voice.engine == "espeak-ng" else flite_words


def words(language: str) -> list[SpokenWord]:
    """Every word of a demo call in order."""
    espeak = Espeak()
    script = tomllib.loads((calls.CALLS / f"{language}.toml").read_text(encoding="utf-8"))
    seed = calls.SEEDS[language]
    said, found = iter(calls.speak(script, seed)), []
    for turn in script["turn"]:
        voice, speaker = calls.voice_of(language, turn["speaker"]), turn["speaker"]
        times = _times(voice, espeak)
        for text, _ in turn["sentences"]:
            start_s = next(said).start_s
            manner = random.Random(f"{language}/{speaker}/{seed}")
            warp = voices.draw_warp(voice, manner)
            silence_s = voices.leading_silence_s(voice, text, random.Random(f"{language}/{speaker}/{seed}"))
            for word, time_s in times(voice, text, manner):
                plain = MARKS.sub("", word).lower()
                found.append(SpokenWord(speaker, plain, start_s + time_s / warp - silence_s))
    return found


def main() -> None:
    """Command line."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as fresh:
        for language, spoken in zip(texts.LANGUAGES, fresh.map(words, texts.LANGUAGES), strict=True):
            lines = [f"{one.speaker}\t{one.word}\t{one.start_s:.3f}\n" for one in spoken]
            path = calls.CALLS / f"{language}.words.tsv"
            path.write_text("speaker\tword\tstart_s\n" + "".join(lines), encoding="utf-8")
            print(f"{path.name}: {len(lines)} words")


if __name__ == "__main__":
    main()
