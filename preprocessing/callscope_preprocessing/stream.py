"""Sound on its way out of a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from callscope_preprocessing.audio import Samples


@dataclass(frozen=True, slots=True)
class Stream:
    """Sound that is being decoded.

    Attributes:
        rate_hz: frames a second, as decoded.
        channels: number of channels, as decoded.
        declared_s: the length that the header declares, in seconds; None where it declares none.
        blocks: float32, shape (channels, frames) each; raises `AudioCorrupt` where the sound is damaged.
    """

    rate_hz: int
    channels: int
    declared_s: float | None
    blocks: Iterator[Samples]
