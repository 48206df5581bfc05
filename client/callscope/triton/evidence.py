"""How far a transcript is to be believed: Whisper's own figures and rules, and some for what they miss."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from callscope.triton.alignment import SPACELESS

NO_SPEECH_PROBABILITY = 0.6
NO_SPEECH_LOGPROB = -1.0
"""Whisper's own thresholds: a window above the one and below the other is silence, whatever words came out."""

COMPRESSION_RATIO = 2.4
AVG_LOGPROB = -1.0
"""Whisper's own thresholds (openai/whisper, transcribe.py): beyond either, it tries again at a higher temperature."""

CHARACTERS_PER_SECOND = {"ja": 16.0, "ko": 14.0}
OTHER_CHARACTERS_PER_SECOND = 30.0
MISSED_S = 1.0
"""Nobody talks faster: 10 syllables a second, of one character in Korean and up to 1.5 in Japanese, or 6 words of 5
letters in English; and as much speech as this may have been missed around what was found."""

LOOP = re.compile(r"(?=\S)(.{3,40}?)\1{4,}")
"""The same few characters five times on end; はいはいはい is no loop."""

SPACELESS_GRAM, SPACED_GRAM = 8, 4
GRAM_TIMES = 3
LEAST_DISTINCT = 3
"""The same 8 characters, or 4 words, three times in a window: a loop with something between its turns. Those of one or
two words over and over (네 네 네 네) are people's."""

Doubt = Literal["repetition", "loop", "improbable", "too_fast", "cut_off", "no_speech"]
"""Why a transcript is not to be believed: it compresses too well, it has one phrase over and over, the model found its
own words improbable, nobody can say so much in the time, it filled its limit without an end, or the model thinks that
nobody spoke although it is sure of the words, as it is of those that it invents for silence."""

CURABLE: frozenset[Doubt] = frozenset({"repetition", "loop", "improbable", "too_fast", "cut_off"})
"""What other words may be free of; the probability of no speech is told before the first word and does not change."""


def doubts(
    text: str,
    language: str,
    *,
    avg_logprob: float,
    speech_s: float,
    no_speech_probability: float = 0.0,
    cut_off: bool = False,
    once: str | None = None,
) -> tuple[Doubt, ...]:
    """Say what is wrong with a transcript.

    Args:
        text: what was written.
        language: its code.
        avg_logprob: mean log-probability of its tokens.
        speech_s: how much speech there was to hear.
        no_speech_probability: of the no-speech token, at the first position.
        cut_off: whether the tokens ran out before the text ended.
        once: the text in which to look for repetitions, where that is not the whole.
    """
    fastest = CHARACTERS_PER_SECOND.get(language, OTHER_CHARACTERS_PER_SECOND)
    once = text if once is None else once
    found: dict[Doubt, bool] = {
        "repetition": compression_ratio(once) > COMPRESSION_RATIO,
        "loop": LOOP.search(once) is not None or repeats(once, language),
        "improbable": avg_logprob < AVG_LOGPROB,
        "too_fast": len(text) > fastest * (speech_s + MISSED_S),
        "cut_off": cut_off,
        "no_speech": no_speech_probability > NO_SPEECH_PROBABILITY,
    }
    return tuple(doubt for doubt, here in found.items() if here) if text else ()


def repeats(text: str, language: str) -> bool:
    """Whether the same few words come back again and again, with or without others between them."""
    spaceless = language in SPACELESS
    units = list(text.replace(" ", "")) if spaceless else text.casefold().split()
    size = SPACELESS_GRAM if spaceless else SPACED_GRAM
    grams = Counter(tuple(units[first : first + size]) for first in range(len(units) - size + 1))
    return any(times >= GRAM_TIMES and len(set(gram)) >= LEAST_DISTINCT for gram, times in grams.items())


def mean_logprob(logprobs: NDArray[np.float32], count: int) -> float:
    """Whisper's avg_logprob: the sum over `count` text tokens and the end of text, over `count` + 1."""
    return float(logprobs[: count + 1].sum(dtype=np.float64)) / (count + 1)


def compression_ratio(text: str) -> float:
    """Whisper's compression ratio: UTF-8 bytes of the text over their size after zlib; 0 for no text."""
    data = text.encode()
    return len(data) / len(zlib.compress(data))


def is_silence(no_speech_probability: float, avg_logprob: float) -> bool:
    """Whisper's rule: probably no speech, and the words that came out are improbable too."""
    return no_speech_probability > NO_SPEECH_PROBABILITY and avg_logprob < NO_SPEECH_LOGPROB
