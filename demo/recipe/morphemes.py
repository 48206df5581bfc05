"""When each morpheme of a Japanese sentence is said.

Japanese is written without spaces: its words here are the morphemes that pyopenjtalk finds. What it speaks itself, it
speaks with the HTS engine inside its own library, asked here for the length of every state of every phoneme. What
espeak-ng speaks from pyopenjtalk's kana, it tells phoneme by phoneme, and the two spellings of the same sounds are
laid along each other.
"""

from __future__ import annotations

import ctypes
import random
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from functools import cache
from itertools import accumulate, pairwise

from demo.recipe import voices
from demo.recipe.espeak import PHONEME, Espeak

ENGINE_BYTES = 1 << 16
"""More than `HTS_Engine` of HTS_engine.h takes; only the library looks inside."""
PAUSE = "pau"
VOWELS = "aeiou"
SPELLED = {"ch": "t", "ts": "t", "j": "d"}
TOLD = {"j": "y", "C": "h"}
"""Phonemes whose names begin with different letters in the two alphabets, pyopenjtalk's and espeak-ng's."""

Morpheme = tuple[str, list[str]]  # as written, its phonemes
Timed = list[tuple[str, float]]


def morphemes(text: str) -> list[Morpheme]:
    """Every morpheme with its phonemes, marks included: those are pauses or nothing."""
    import pyopenjtalk  # noqa: PLC0415 - only Japanese needs it

    mapping = pyopenjtalk.make_phoneme_mapping(pyopenjtalk.run_frontend(text))
    return [(one["surface"], list(one["phonemes"])) for one in mapping]


def openjtalk_words(voice: voices.Voice, text: str, rng: random.Random) -> Timed:
    """Morphemes and their starts in seconds, for what `voices` would speak with the same random numbers."""
    import pyopenjtalk  # noqa: PLC0415 - only Japanese needs it

    speed, _half_tone = rng.uniform(0.85, 1.2), rng.uniform(-4, 3)
    lengths_s = phoneme_lengths_s(pyopenjtalk.extract_fullcontext(text), speed)
    starts_s = list(accumulate(lengths_s, initial=0.0))[1:]  # the first phoneme is the silence before the sentence
    found, place = [], 0
    for surface, phonemes in morphemes(text):
        found.append((surface, starts_s[place]))
        place += len(phonemes)
    if place != len(lengths_s) - 1:
        raise ValueError(f"{text}: {place} phonemes were read and {len(lengths_s) - 1} spoken.")
    return _said(found)


def espeak_words(espeak: Espeak, voice: voices.Voice, text: str, rng: random.Random) -> Timed:
    """The same of espeak-ng; morphemes whose first sound it spells otherwise are left out."""
    import pyopenjtalk  # noqa: PLC0415 - only Japanese needs it

    events = espeak.events(voice, pyopenjtalk.g2p(text, kana=True), rng)
    spoken = [event for event in events if event.kind == PHONEME and not event.phoneme.startswith("_")]
    read = [(surface, _letters(phonemes)) for surface, phonemes in morphemes(text)]
    sounds = "".join(letters for _, letters in read)
    same = SequenceMatcher(None, sounds, "".join(_letter(event.phoneme, TOLD) for event in spoken), autojunk=False)
    places = {one + i: other + i for one, other, count in same.get_matching_blocks() for i in range(count)}
    found, place = [], 0
    for surface, letters in read:
        if letters and place in places:
            found.append((surface, spoken[places[place]].start_s))
        place += len(letters)
    return _said(found)


def _letters(phonemes: Iterable[str]) -> str:
    """A letter for each phoneme and none for pauses; a drawn-out vowel is one sound, as espeak-ng tells it."""
    letters = [_letter(phoneme, SPELLED) for phoneme in phonemes if phoneme != PAUSE]
    return "".join(letter for before, letter in pairwise(["", *letters]) if letter != before or letter not in VOWELS)


def _letter(phoneme: str, other: Mapping[str, str]) -> str:
    return other.get(phoneme, phoneme[0].lower())


def _said(found: Timed) -> Timed:
    return [(surface, start_s) for surface, start_s in found if any(map(str.isalnum, surface))]


def phoneme_lengths_s(labels: list[str], speed: float) -> list[float]:
    """The length of each label's phoneme in seconds, as `pyopenjtalk.synthesize` speaks it at that speed."""
    library, engine = _hts()
    lines = (ctypes.c_char_p * len(labels))(*(label.encode() for label in labels))
    library.HTS_Engine_set_speed(engine, ctypes.c_double(speed))
    if not library.HTS_Engine_synthesize_from_strings(engine, lines, ctypes.c_size_t(len(labels))):
        raise ValueError("The HTS engine cannot speak these labels.")
    frame_s = library.HTS_Engine_get_fperiod(engine) / library.HTS_Engine_get_sampling_frequency(engine)
    states = library.HTS_Engine_get_nstate(engine)
    frames = [
        library.HTS_Engine_get_state_duration(engine, ctypes.c_size_t(state)) for state in range(states * len(labels))
    ]
    library.HTS_Engine_refresh(engine)
    return [sum(frames[first : first + states]) * frame_s for first in range(0, len(frames), states)]


@cache
def _hts() -> tuple[ctypes.CDLL, ctypes.Array[ctypes.c_char]]:
    """The engine inside pyopenjtalk's extension, with its voice."""
    from pyopenjtalk import DEFAULT_HTS_VOICE, htsengine  # noqa: PLC0415 - only Japanese needs it

    library = ctypes.CDLL(htsengine.__file__)
    for name in ("fperiod", "sampling_frequency", "nstate", "state_duration"):
        getattr(library, f"HTS_Engine_get_{name}").restype = ctypes.c_size_t
    for name in ("load", "synthesize_from_strings"):
        getattr(library, f"HTS_Engine_{name}").restype = ctypes.c_bool
    engine = ctypes.create_string_buffer(ENGINE_BYTES)
    library.HTS_Engine_initialize(engine)
    voice = (ctypes.c_char_p * 1)(DEFAULT_HTS_VOICE)
    if not library.HTS_Engine_load(engine, voice, ctypes.c_size_t(1)):
        raise ValueError("pyopenjtalk's own voice does not load.")
    return library, engine
