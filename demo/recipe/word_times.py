"""When each word of the demo calls is said, by the synthesizers' own account: the reference of word times.

espeak-ng tells it by its library's events, flite by the durations of its segments. pyopenjtalk does not tell, and
espeak-ng speaks Japanese from kana without words, so there is no reference for the Japanese call.
"""

from __future__ import annotations

import argparse
import ctypes
import random
import re
import subprocess
import tomllib
from dataclasses import dataclass

from demo.recipe import calls, voices

LANGUAGES = ("en", "ko")
MARKS = re.compile("[,.?]")
SYNCHRONOUS, UTF8, BY_CHARACTER, WORD, LIST_END = 1, 1, 1, 1, 0
RATE, PITCH = 1, 3


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    """`espeak_EVENT` of speak_lib.h."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word and when it starts on the call's clock."""

    speaker: str
    word: str
    start_s: float


class Espeak:
    """The library behind `espeak-ng`, asked for the times of words."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libespeak-ng.so.1")
        self._library.espeak_Initialize(SYNCHRONOUS, 0, None, 0)
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
        self._callback = kind(self._receive)  # must live as long as the library may call it
        self._library.espeak_SetSynthCallback(self._callback)
        self._found: list[tuple[int, int, float]] = []

    def words(self, voice: voices.Voice, text: str, rng: random.Random) -> list[tuple[str, float]]:
        """Words and their starts in seconds, for what `voices` would speak with the same random numbers."""
        speaker = f"{rng.choice(voices.ESPEAK_DIALECTS[voice.language])}+{voice.name}"
        pace, pitch = rng.randint(130, 185), rng.randint(30, 70)
        self._library.espeak_SetVoiceByName(speaker.encode())
        self._library.espeak_SetParameter(RATE, pace, 0)
        self._library.espeak_SetParameter(PITCH, pitch, 0)
        self._found.clear()
        data = text.encode()
        self._library.espeak_Synth(data, len(data) + 1, 0, BY_CHARACTER, 0, UTF8, None, None)
        self._library.espeak_Synchronize()
        return [(text[first - 1 : first - 1 + length], start_s) for first, length, start_s in self._found]

    def _receive(self, _wav: object, _samples: int, events: ctypes._Pointer[_Event]) -> int:
        place = 0
        while events[place].type != LIST_END:
            event = events[place]
            if event.type == WORD:
                self._found.append((event.text_position, event.length, event.audio_position / 1000))
            place += 1
        return 0


def flite_words(voice: voices.Voice, text: str, rng: random.Random) -> list[tuple[str, float]]:
    """The same of flite; how many segments a word has is asked word by word."""
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


def words(language: str, espeak: Espeak) -> list[SpokenWord]:
    """Every word of a demo call in order."""
    script = tomllib.loads((calls.CALLS / f"{language}.toml").read_text(encoding="utf-8"))
    seed = calls.SEEDS[language]
    said, found = iter(calls.speak(script, seed)), []
    for turn in script["turn"]:
        voice, speaker = calls.voice_of(language, turn["speaker"]), turn["speaker"]
        times = espeak.words if voice.engine == "espeak-ng" else flite_words
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
    espeak = Espeak()
    for language in LANGUAGES:
        lines = [f"{one.speaker}\t{one.word}\t{one.start_s:.3f}\n" for one in words(language, espeak)]
        path = calls.CALLS / f"{language}.words.tsv"
        path.write_text("speaker\tword\tstart_s\n" + "".join(lines), encoding="utf-8")
        print(f"{path.name}: {len(lines)} words")


if __name__ == "__main__":
    main()
