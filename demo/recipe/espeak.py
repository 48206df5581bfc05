"""The library behind `espeak-ng`, which tells when each word and each phoneme sounds."""

from __future__ import annotations

import ctypes
import random
from dataclasses import dataclass

from demo.recipe import voices

SYNCHRONOUS, UTF8, BY_CHARACTER, PHONEME_EVENTS = 1, 1, 1, 1
LIST_END, WORD, PHONEME = 0, 1, 7
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
class Event:
    """A word or a phoneme and its start.

    Attributes:
        kind: `WORD` or `PHONEME`.
        first: its place in the text, in characters from 1.
        length: of a word, in characters.
        start_s: in seconds from the beginning of the sound.
        phoneme: its name in espeak-ng's alphabet; empty for a word, underscores for a pause.
    """

    kind: int
    first: int
    length: int
    start_s: float
    phoneme: str


class Espeak:
    """The library, asked for its events. One language in a process: what it spoke before shifts what follows."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libespeak-ng.so.1")
        self._library.espeak_Initialize(SYNCHRONOUS, 0, None, PHONEME_EVENTS)
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
        self._callback = kind(self._receive)  # must live as long as the library may call it
        self._library.espeak_SetSynthCallback(self._callback)
        self._found: list[Event] = []

    def events(self, voice: voices.Voice, text: str, rng: random.Random) -> list[Event]:
        """Words and phonemes in order, for what `voices` would speak with the same random numbers."""
        speaker = f"{rng.choice(voices.ESPEAK_DIALECTS[voice.language])}+{voice.name}"
        pace, pitch = rng.randint(130, 185), rng.randint(30, 70)
        self._library.espeak_SetVoiceByName(speaker.encode())
        self._library.espeak_SetParameter(RATE, pace, 0)
        self._library.espeak_SetParameter(PITCH, pitch, 0)
        self._found = []
        data = text.encode()
        self._library.espeak_Synth(data, len(data) + 1, 0, BY_CHARACTER, 0, UTF8, None, None)
        self._library.espeak_Synchronize()
        return self._found

    def words(self, voice: voices.Voice, text: str, rng: random.Random) -> list[tuple[str, float]]:
        """Words and their starts in seconds, likewise."""
        words = [event for event in self.events(voice, text, rng) if event.kind == WORD]
        return [(text[word.first - 1 : word.first - 1 + word.length], word.start_s) for word in words]

    def _receive(self, _wav: object, _samples: int, events: ctypes._Pointer[_Event]) -> int:
        place = 0
        while events[place].type != LIST_END:
            event = events[place]
            if event.type in (WORD, PHONEME):
                phoneme = bytes(event.id.string).decode() if event.type == PHONEME else ""
                start_s = event.audio_position / 1000
                self._found.append(Event(event.type, event.text_position, event.length, start_s, phoneme))
            place += 1
        return 0
