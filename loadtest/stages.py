"""Loads that change as they go: shares of --duration, each with a share of the --peak users."""

from __future__ import annotations

from collections.abc import Sequence

Stages = Sequence[tuple[float, float]]
"""(share of the duration, share of the peak)"""

RAMP: Stages = tuple((1.0, share) for share in (0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2))
STEADY: Stages = ((1.0, 1.0),)
SPIKE: Stages = ((0.4, 0.3), (0.2, 1.0), (0.4, 0.3))
SOAK: Stages = ((0.05, 0.3), (0.95, 0.7))


def users_at(stages: Stages, at_s: float, duration_s: float, peak: int) -> int | None:
    """How many users there are at a time; None when it is over. Lengths count in proportion to their sum."""
    whole = sum(length for length, _ in stages)
    end_s = 0.0
    for length, share in stages:
        end_s += duration_s * length / whole
        if at_s < end_s:
            return max(1, round(peak * share))
    return None
