"""Where a curve bends: the load beyond which latency is paid for little more throughput."""

from __future__ import annotations

import math
from collections.abc import Sequence


def knee(loads: Sequence[float], latencies_s: Sequence[float]) -> int:
    """The place of the knee: where load / latency, the "power" of a queue, is largest.

    A latency that is larger than that of a higher load was a disturbance, and counts as that of the higher load.

    A queue with random arrivals and service has it at half of its capacity, one with constant service at 0.586 of it
    (L. Kleinrock, Power and deterministic rules of thumb for probabilistic problems in computer communications, 1979).

    Args:
        loads: requests a second, growing.
        latencies_s: of each load; NaN where nothing was answered.

    Raises:
        ValueError: no load has a latency.
    """
    smooth = [min((at for at in latencies_s[place:] if at > 0), default=math.nan) for place in range(len(loads))]
    powers = {place: load / at for place, (load, at) in enumerate(zip(loads, smooth, strict=True)) if at > 0}
    return max(powers, key=lambda place: powers[place])


def plateau(values: Sequence[float], tolerance: float) -> int:
    """The first place whose value is within a tolerance (a share) of the largest: what comes after gains little."""
    enough = max(values) * (1 - tolerance)
    return next(place for place, value in enumerate(values) if value >= enough)
