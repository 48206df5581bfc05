"""Text without sound for the decoder: states as the encoder would give them, made from the letters of its sound.

Spoken text is dear, written text is free. The encoder's CTC head says which direction of a state stands for which
letter; put along time with noise, slips and gaps they make states that the decoder can learn spelling, sentences and
its monotonic attention from, much faster than from sound (text injection, Sainath et al. 2022, "JOIST", in small).
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
from demo.recipe import sounds, texts
from torch import Tensor, nn
from torch.nn import functional

SHUFFLED_SHARE = 0.12
SLIP_SHARE = 0.1  # letters heard wrong
GAP_SHARE = 0.06  # letters not heard
NOISE = 0.6
LEAD = (3, 12)  # positions of silence at both ends


@dataclass(frozen=True, slots=True)
class Line:
    """A text to write and how it sounds."""

    text: str
    language: str
    sounds: tuple[int, ...]


class Library:
    """Training sentences as lines; grown once, then drawn from."""

    def __init__(self, rng: random.Random, sentences: int) -> None:
        self.rng = rng
        self.waiting: list[list[Line]] = []
        self.lines = {language: [self._line(language) for _ in range(sentences)] for language in texts.LANGUAGES}

    def _line(self, language: str) -> Line:
        if self.rng.random() < SHUFFLED_SHARE:
            text = texts.shuffled_words(language, self.rng)
        else:
            text = texts.spoken(texts.sentence(language, "train", self.rng)[1])
        return Line(text, language, sounds.sounds(text, language))

    def draw(self, rows: int, *, joined: bool) -> list[Line]:
        """Random lines of all languages and like length; with `joined`, a third of them are two sentences."""
        if not self.waiting:
            drawn = [self._pair() if joined and self.rng.random() < 1 / 3 else self._one() for _ in range(32 * rows)]
            drawn.sort(key=lambda line: len(line.sounds))
            self.waiting = [drawn[start : start + rows] for start in range(0, len(drawn), rows)]
            self.rng.shuffle(self.waiting)
        return self.waiting.pop()

    def _one(self) -> Line:
        return self.rng.choice(self.lines[self.rng.choice(texts.LANGUAGES)])

    def _pair(self) -> Line:
        first = self._one()
        second = self.rng.choice(self.lines[first.language])
        space = "" if first.language == "ja" else " "
        return Line(first.text + space + second.text, first.language, first.sounds + second.sounds)


def states(
    lines: list[Line], ctc: nn.Linear, positions: Tensor, norm: nn.LayerNorm, rng: random.Random
) -> tuple[Tensor, Tensor]:
    """What the encoder might have made of the lines: states (rows, places, width), first and last place of speech."""
    heard = [_heard(line.sounds, rng) for line in lines]
    letters = nn.utils.rnn.pad_sequence(
        [torch.tensor(row) for row, _ in heard], batch_first=True, padding_value=sounds.BLANK
    )
    letters = letters[:, : len(positions)]
    directions = functional.normalize(ctc.weight.detach(), dim=1) * ctc.weight.shape[1] ** 0.5
    clean = directions[letters] + 0.5 * positions[: letters.shape[1]]
    state = functional.layer_norm(clean + NOISE * torch.randn_like(clean), clean.shape[-1:])
    return state * norm.weight.detach() + norm.bias.detach(), torch.tensor([spoken for _, spoken in heard])


def _heard(letters: tuple[int, ...], rng: random.Random) -> tuple[list[int], tuple[int, int]]:
    """One row of letters and blanks along time."""
    row = [sounds.BLANK] * rng.randint(*LEAD)
    start, pace = len(row), rng.uniform(1.2, 2.6)
    for letter in letters:
        chance = rng.random()
        if chance < SLIP_SHARE:
            letter = rng.randrange(sounds.BLANK)  # noqa: PLW2901 - the letter that was heard
        length = max(1, round(rng.gauss(pace, 0.6)))
        row += [sounds.BLANK if chance > 1 - GAP_SHARE else letter] + [
            letter if rng.random() < 0.3 else sounds.BLANK
        ] * (length - 1)
    end = len(row)
    return row + [sounds.BLANK] * rng.randint(*LEAD), (start, end)
