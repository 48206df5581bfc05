"""What one window of the recogniser hears, where it was in the call, and the way of a time from one to the other."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from callscope_preprocessing.audio import Span
from callscope_preprocessing.pcm import Pcm
from callscope_preprocessing.track import Track


@dataclass(frozen=True, slots=True)
class Piece:
    """One stretch of speech in a window. All numbers are samples; `start` and `end` count from the call's start.

    Attributes:
        start: where the stretch begins; the words of [start, end) are this piece's.
        end: where it ends.
        speech: how much of what is heard is speech.
        lead: what is heard before it: beyond a cut, or the end of the pause that parts it from the piece before.
        tail: the same after it.
        place: where in the window the piece is, its lead first.
    """

    start: int
    end: int
    speech: int
    lead: int = 0
    tail: int = 0
    place: int = 0

    @property
    def first(self) -> int:
        """The first sample that is heard."""
        return self.start - self.lead

    @property
    def last(self) -> int:
        """The one after the last that is heard."""
        return self.end + self.tail

    @property
    def limit(self) -> int:
        """Where in the window the piece ends."""
        return self.place + self.last - self.first


@dataclass(frozen=True, slots=True)
class Chunk:
    """Sound for one window of the recogniser, read from its track whenever it is asked for.

    Attributes:
        channel: the channel it is from.
        track: that channel, at the model's rate.
        pieces: at least one, in the order of time, each placed in the window where the one before ends.
    """

    channel: int
    track: Track
    pieces: tuple[Piece, ...]

    @property
    def rate_hz(self) -> int:
        """Of the track."""
        return self.track.rate_hz

    @property
    def spans(self) -> tuple[Span, ...]:
        """Where each piece's words are in the call."""
        return tuple(Span(piece.start / self.rate_hz, piece.end / self.rate_hz) for piece in self.pieces)

    @property
    def span(self) -> Span:
        """From the first piece's start to the last one's end."""
        return Span(self.pieces[0].start / self.rate_hz, self.pieces[-1].end / self.rate_hz)

    @property
    def speech_s(self) -> float:
        """How much of what is heard is speech, in seconds."""
        return sum(piece.speech for piece in self.pieces) / self.rate_hz

    @property
    def heard_s(self) -> float:
        """How much of the window is filled, in seconds."""
        return self.pieces[-1].limit / self.rate_hz

    def audio(self) -> Pcm:
        """What is heard: int16, shape (samples,), the caller's own."""
        return np.concatenate([self.track.read(piece.first, piece.last) for piece in self.pieces])

    def window(self, samples: int) -> Pcm:
        """The same and zeros after it, shape (samples,)."""
        audio = self.audio()
        return np.pad(audio, (0, samples - len(audio)))

    def piece_at(self, time_s: float) -> int:
        """Which piece is heard at a time of the window; where two meet, it is the middle of the pause between them."""
        places = [piece.place for piece in self.pieces[1:]]
        return bisect_right(places, time_s * self.rate_hz)

    def offset_s(self, index: int) -> float:
        """What a time of the window in that piece is short of the time in the call, in seconds."""
        piece = self.pieces[index]
        return (piece.first - piece.place) / self.rate_hz

    def to_call(self, time_s: float) -> float:
        """The time in the call of a time of the window; beyond either end it goes on evenly."""
        return time_s + self.offset_s(self.piece_at(time_s))

    def to_window(self, time_s: float) -> float:
        """The time of the window at which a time of the call is heard, or where what is nearest to it is."""
        at = time_s * self.rate_hz
        nearest = min(self.pieces, key=lambda piece: max(piece.first - at, at - piece.last))
        return (nearest.place + min(max(at, nearest.first), nearest.last) - nearest.first) / self.rate_hz


def whole(track: Track, *, channel: int = 0, speech_s: float | None = None) -> Chunk:
    """All of a track as one chunk of one piece; `speech_s` of it are speech, or all."""
    speech = track.samples if speech_s is None else round(speech_s * track.rate_hz)
    return Chunk(channel, track, (Piece(0, track.samples, speech),))
