"""One channel of a recording, kept on disk: memory does not grow with the length of a call."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from callscope_preprocessing.audio import Audio
from callscope_preprocessing.errors import storage_full
from callscope_preprocessing.pcm import Pcm, to_int16

SAMPLE_BYTES = 2
BLOCK_S = 30.0


class _Shelf:
    """A file without a name, gone when nobody holds it any more, however the process ends."""

    def __init__(self) -> None:
        with tempfile.TemporaryFile(buffering=0) as file:
            self.number = os.dup(file.fileno())
        weakref.finalize(self, os.close, self.number)


@dataclass(frozen=True, slots=True)
class Track:
    """Sound of one channel on disk; any number of threads may read.

    Attributes:
        rate_hz: samples a second.
        samples: how many there are.
    """

    rate_hz: int
    samples: int
    _shelf: _Shelf

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples / self.rate_hz

    def read(self, first: int = 0, end: int | None = None) -> Pcm:
        """Samples `first` up to `end`, as far as they exist: int16, shape (samples,), the caller's own."""
        first = min(max(first, 0), self.samples)
        end = self.samples if end is None else min(max(end, first), self.samples)
        pcm = np.empty(end - first, np.int16)
        rest, place = pcm.view(np.uint8).data, first * SAMPLE_BYTES
        while rest:
            read = os.preadv(self._shelf.number, [rest], place)
            if not read:
                raise OSError(f"{end - first} samples were kept and are gone.")
            rest, place = rest[read:], place + read
        return pcm

    def blocks(self, block_s: float = BLOCK_S) -> Iterator[Pcm]:
        """All of the sound in order, `block_s` seconds at a time: int16, shape (samples,)."""
        size = max(1, round(block_s * self.rate_hz))
        for first in range(0, self.samples, size):
            yield self.read(first, first + size)


class TrackWriter:
    """Writes a track from its start to its end."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._samples = 0
        self._shelf = _Shelf()

    def write(self, pcm: Pcm) -> None:
        """Append samples: int16, shape (samples,).

        Raises:
            StorageFull: the folder for temporary files has no room.
        """
        rest = np.ascontiguousarray(pcm).view(np.uint8).data
        try:
            while rest:
                rest = rest[os.write(self._shelf.number, rest) :]
        except OSError as error:
            raise storage_full(error) from error
        self._samples += len(pcm)

    def finish(self) -> Track:
        """The track as written so far."""
        return Track(self._rate_hz, self._samples, self._shelf)


def tracks_of(audio: Audio) -> tuple[Track, ...]:
    """Keep sound that is in memory: a track for each channel, rounded to 16 bits."""
    return tuple(track_of(to_int16(channel), audio.rate_hz) for channel in audio.samples)


def track_of(pcm: Pcm, rate_hz: int) -> Track:
    """Keep int16 samples of shape (samples,)."""
    writer = TrackWriter(rate_hz)
    writer.write(pcm)
    return writer.finish()
