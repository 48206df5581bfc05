"""Every training utterance in memory, and the random examples made of them."""

from __future__ import annotations

import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
from demo.recipe import shards, sounds
from numpy.typing import NDArray

RATE_HZ = 16_000
BUCKETS_S = (1.6, 2.2, 2.8, 3.6, 4.8, 6.2, 8.0)
SAMPLES_PER_STATE = 320
SHARES = {"en": 0.45, "ja": 0.36, "ko": 0.19}  # of the examples; English has the shortest ones and the most voices
RECORDED_WEIGHT = 2  # of voices made of recordings against espeak-ng's formants, which are the easier ones
NOBODY_SHARE = 0.04
COLLAGE_SHARE = 0.35
JOINED_SHARE = 0.3
COLLAGE_WORDS = (2, 9)
COMMON_WORD_DAMPING = 0.6  # a collage draws a word that is 100 times as common 6 times as often

Starts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A stretch of speech, an utterance or a word out of one."""

    samples: NDArray[np.int16]
    text: str
    sounds: tuple[int, ...]
    places: NDArray[np.float32]  # see `sounds.places`


@dataclass(frozen=True, slots=True)
class Example:
    """Speech of one speaker and what to write; `text` is None where nobody speaks."""

    samples: NDArray[np.float32]
    text: str | None
    language: str
    sounds: tuple[int, ...] = ()
    places: NDArray[np.float32] = field(default_factory=lambda: np.zeros(1, np.float32))


def phrase(utterance: shards.Utterance) -> Phrase:
    """A whole utterance."""
    text, language = utterance.text, utterance.language
    return Phrase(utterance.samples, text, sounds.sounds(text, language), sounds.places(text, language))


def words(utterance: shards.Utterance, starts: Starts) -> list[Phrase]:
    """An utterance cut between its words, given the encoder state at which each letter starts."""
    whole = phrase(utterance)
    ends = [0, *np.cumsum([length for length, _ in sounds.pieces(whole.text, utterance.language)])]
    if utterance.language == "ko":  # whose pieces are syllables
        ends = [0, *(place for place, letter in enumerate(whole.text) if letter == " "), len(whole.text)]
    found = []
    for first, last in pairwise(ends):
        first += whole.text[first:last].startswith(" ")  # noqa: PLW2901 - the space belongs to no word
        begin, end = int(whole.places[first]), int(whole.places[last])
        if end > begin:
            samples = whole.samples[_cut(begin, starts, 0) : _cut(end, starts, len(whole.samples))]
            places = whole.places[first : last + 1] - whole.places[first]
            found.append(Phrase(samples, whole.text[first:last], whole.sounds[begin:end], places))
    return found


def _cut(letter: int, starts: Starts, edge: int) -> int:
    """The sample half way between a letter and the one before; `edge` at both ends of the utterance."""
    if letter in (0, len(starts) - 1):
        return edge
    return int((starts[letter - 1] + starts[letter] + 1) * SAMPLES_PER_STATE / 2)


class Corpus:
    """Training utterances by language and voice."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self.rng = rng
        self.joined = False
        self.utterances = [one for path in sorted(folder.glob("train-*.npz")) for one in shards.read(path)]
        if not self.utterances:
            sys.exit(f"No train-*.npz in {folder}: make them with `python -m demo.recipe.speech {folder}`.")
        self.by_voice: dict[tuple[str, str], list[Phrase]] = defaultdict(list)
        self.words: dict[tuple[str, str], list[Phrase]] = defaultdict(list)
        self.rarity: dict[tuple[str, str], list[float]] = {}  # running sum of the weights of `words`
        self.voices: dict[str, list[str]] = defaultdict(list)  # as often as they are to speak
        for utterance in self.utterances:
            self.by_voice[utterance.language, utterance.voice].append(phrase(utterance))
            formants = utterance.voice.startswith("espeak-ng")
            self.voices[utterance.language] += [utterance.voice] * (1 if formants else RECORDED_WEIGHT)

    def cut(self, starts: list[Starts]) -> None:
        """Makes the words available, given when the letters of each utterance start."""
        for utterance, one in zip(self.utterances, starts, strict=True):
            self.words[utterance.language, utterance.voice] += words(utterance, one)
        common = Counter((language, word.text) for (language, _), found in self.words.items() for word in found)
        for (language, voice), found in self.words.items():
            rarity = [common[language, word.text] ** -COMMON_WORD_DAMPING for word in found]
            self.rarity[language, voice] = list(accumulate(rarity))

    def draw(self) -> Example:
        """One utterance, several of one speaker with short pauses, a collage of one speaker's words, or no speech.

        A small decoder learns the patterns by heart and then writes the word it expects instead of the one it hears;
        a collage can only be written down by listening.
        """
        [language] = self.rng.choices(list(self.voices), [SHARES[language] for language in self.voices])
        chance = self.rng.random()
        if chance < NOBODY_SHARE:
            return Example(np.zeros(int(self.rng.uniform(1, 8) * RATE_HZ), np.float32), None, language)
        voice = language, self.rng.choice(self.voices[language])
        if self.words and chance < NOBODY_SHARE + COLLAGE_SHARE:
            count = self.rng.randint(*COLLAGE_WORDS)
            return self._join(language, self.rng.choices(self.words[voice], cum_weights=self.rarity[voice], k=count), 0)
        more = self.rng.choice((1, 1, 2)) if self.joined and self.rng.random() < JOINED_SHARE else 0
        return self._join(language, self.rng.choices(self.by_voice[voice], k=1 + more), 0.5)

    def _join(self, language: str, phrases: list[Phrase], longest_pause_s: float) -> Example:
        space = "" if language == "ja" else " "
        parts, said, heard, places = [self._silence(0.4)], [], [], np.zeros(0, np.float32)
        for one in phrases:
            if said and sum(map(len, parts)) + len(one.samples) > (BUCKETS_S[-1] - 0.6) * RATE_HZ:
                break
            parts += [one.samples.astype(np.float32) / 32768, self._silence(longest_pause_s)]
            places = np.concatenate([places if space else places[:-1], one.places + len(heard)])
            said.append(one.text)
            heard += one.sounds
        samples = np.concatenate([*parts, self._silence(0.4)])[: int(BUCKETS_S[-1] * RATE_HZ)]  # cuts only silence
        return Example(samples, space.join(said), language, tuple(heard), places)

    def _silence(self, longest_s: float) -> NDArray[np.float32]:
        return np.zeros(int(self.rng.uniform(min(0.1, longest_s), longest_s) * RATE_HZ), np.float32)

    def batches(self, seconds: float, *, full_windows: bool) -> Iterator[list[Example]]:
        """Examples of like length together, so that little is padding; about `seconds` of sound a batch."""
        while True:
            drawn = [self.draw() for _ in range(512)]
            batches = packed(drawn, seconds, shortest_s=BUCKETS_S[-1] if full_windows else 0)
            self.rng.shuffle(batches)
            yield from batches

    def whole(self, seconds: float) -> Iterator[tuple[list[int], list[Example]]]:
        """Every utterance once, alone, in batches of like length, with its place in `utterances`."""
        order = sorted(range(len(self.utterances)), key=lambda place: len(self.utterances[place].samples))
        examples = [self._alone(self.utterances[place]) for place in order]
        for batch in packed(examples, seconds):
            yield order[: len(batch)], batch
            del order[: len(batch)]

    @staticmethod
    def _alone(utterance: shards.Utterance) -> Example:
        whole = phrase(utterance)
        samples = utterance.samples.astype(np.float32) / 32768
        return Example(samples, whole.text, utterance.language, whole.sounds, whole.places)


def packed(examples: list[Example], seconds: float, shortest_s: float = 0) -> list[list[Example]]:
    """Examples by length in batches of about `seconds`, padding included."""
    batches: list[list[Example]] = [[]]
    for example in sorted(examples, key=lambda example: len(example.samples)):
        if (len(batches[-1]) + 1) * max(shortest_s, bucket_s(example)) > seconds:
            batches.append([])
        batches[-1].append(example)
    return batches


def bucket_s(example: Example) -> float:
    """The shortest bucket that holds an example."""
    return next(length for length in BUCKETS_S if len(example.samples) <= length * RATE_HZ)
