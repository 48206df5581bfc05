"""The values that pass between the preprocessing stages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Audio:
    """Sound in memory.

    Attributes:
        samples: float32 in [-1, 1], shape (channels, frames).
        rate_hz: frames a second.
    """

    samples: Samples
    rate_hz: int

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.samples.shape[0])

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return float(self.samples.shape[1]) / self.rate_hz


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of time, in seconds from the start of the call; `end_s` is exclusive."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s
