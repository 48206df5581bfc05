"""FFmpeg's frames become blocks of samples.

A frame is 20 to 70 ms of a call. To convert each costs more than to decode it, so frames are joined first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.stream import Block

BLOCK_FRAMES = 1 << 16
GAP_S = 0.1
FILL_S = 1.0
_Kind = tuple[str, str, int, int]
AT_MOST_16_BITS = frozenset({"u8", "u8p", "s16", "s16p"})


def blocks_of(first: av.AudioFrame, rest: Iterable[av.AudioFrame]) -> Iterator[Block]:
    """Decoded sound in the first frame's layout and rate, shape (channels, frames) each.

    Some streams change their layout or rate on the way. Where timestamps leave a gap, there is silence.

    Raises:
        FFmpegError, ValueError: a frame cannot be brought to the first one's form.
    """
    joined, start = _Joined(first), first.pts
    for frame in chain([first], rest):
        missing, kind = _gap_frames(frame, start, joined), _kind(frame)
        if missing or kind != joined.kind:
            yield from joined.take(last=True)
            yield from joined.silence(missing)
        joined.add(frame, kind)
        if joined.is_full:
            yield from joined.take()
    yield from joined.take(last=True)


def _kind(frame: av.AudioFrame) -> _Kind:
    layout = frame.layout
    return frame.format.name, layout.name, layout.nb_channels, frame.sample_rate


def _gap_frames(frame: av.AudioFrame, start: int | None, joined: _Joined) -> int:
    """How much too late a frame is, in frames; those that are early, or a little late, follow on."""
    if frame.pts is None or start is None or frame.time_base is None:
        return 0
    base = frame.time_base  # fractions are slow, and frames are many
    at_s = (frame.pts - start) * base.numerator / base.denominator
    missing = round(at_s * joined.rate_hz) - joined.frames
    return missing if missing > GAP_S * joined.rate_hz else 0


class _Joined:
    """Frames of one kind, kept together until they are worth converting."""

    def __init__(self, first: av.AudioFrame) -> None:
        self.kind = _kind(first)
        self.frames = 0
        self._layout, self.rate_hz = first.layout, first.sample_rate
        # Packed, because PyAV reads past the end of a frame of eight planes or more.
        self._format = "s16" if first.format.name in AT_MOST_16_BITS else "flt"
        self._begin()

    def _begin(self) -> None:
        self._fifo = av.AudioFifo()
        self._resampler = av.AudioResampler(self._format, self._layout, self.rate_hz)
        self._taken = 0
        self._before = self.frames

    @property
    def is_full(self) -> bool:
        return self._fifo.samples >= BLOCK_FRAMES

    def add(self, frame: av.AudioFrame, kind: _Kind) -> None:
        self.kind = kind
        frame.pts = None  # the queue would insist on its own
        self._fifo.write(frame)
        self._taken += frame.samples
        self.frames = self._before + round(self._taken * self.rate_hz / frame.sample_rate)

    def take(self, *, last: bool = False) -> Iterator[Block]:
        """What was joined so far; after the `last` of a kind, another one may follow."""
        if self._taken:
            size = max(1, BLOCK_FRAMES * self.kind[-1] // self.rate_hz)
            for frame in self._fifo.read_many(size, partial=True):
                yield from map(self._block, self._resampler.resample(frame))
            if last:
                yield from (self._block(out) for out in self._resampler.resample(None) if out is not None)
        if last:
            self._begin()

    def silence(self, frames: int) -> Iterator[Block]:
        size = round(FILL_S * self.rate_hz)
        channels = len(self._layout.channels)
        for start in range(0, frames, size):
            yield self._typed(np.zeros((channels, min(size, frames - start))))
        self.frames += frames
        self._before = self.frames

    def _block(self, frame: av.AudioFrame) -> Block:
        samples = frame.to_ndarray().reshape(frame.samples, -1)
        return self._typed(samples.T)

    def _typed(self, samples: NDArray[Any]) -> Block:
        if self._format == "s16":
            return np.ascontiguousarray(samples, np.int16)
        return np.ascontiguousarray(samples, np.float32)
