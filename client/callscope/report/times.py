"""Times as people and machines read them. All round down, so that nothing is printed later than the call's end."""

from __future__ import annotations

import math

_FLOAT_NOISE_MS = 1e-6


def floor_ms(time_s: float) -> float:
    """Seconds cut to 3 decimals: 59.9996 becomes 59.999. Keeps the order of any two times."""
    return math.floor(time_s * 1000 + _FLOAT_NOISE_MS) / 1000


def clock(time_s: float) -> str:
    """Minutes and seconds cut to a tenth: 59.96 is `0:59.9`, 3725 is `62:05.0`."""
    tenths = math.floor(time_s * 10 + _FLOAT_NOISE_MS)
    minutes, rest = divmod(tenths, 600)
    return f"{minutes}:{rest // 10:02d}.{rest % 10}"


def timestamp(time_s: float, point: str) -> str:
    """Hours, minutes, seconds and milliseconds, `01:02:03,456`, with `point` before the milliseconds."""
    seconds, thousandths = divmod(math.floor(time_s * 1000 + _FLOAT_NOISE_MS), 1000)
    minutes, second = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}{point}{thousandths:03d}"
