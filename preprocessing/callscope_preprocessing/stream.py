"""Sound on its way out of a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from callscope_preprocessing.audio import Samples
from callscope_preprocessing.pcm import Pcm

Block = Pcm | Samples
"""Shape (channels, frames): int16 where the codec gives no more than 16 bits, else float32 with full scale at 1."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Sound that is being decoded.

    Attributes:
        rate_hz: frames a second, as decoded.
        channels: number of channels, as decoded.
        container: the format of the file ("wav", "mp4", "raw").
        codec: how the sound is coded, by FFmpeg's name without the order of bytes ("pcm_mulaw", "pcm_s16", "aac").
        declared_s: the length that the header declares, in seconds; None where it declares none.
        blocks: the sound in order; raises `AudioCorrupt` where it is damaged.
    """

    rate_hz: int
    channels: int
    container: str
    codec: str
    declared_s: float | None
    blocks: Iterator[Block]
