"""Where a time axis has its marks, and what they say."""

from __future__ import annotations

STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
MOST_TICKS = 16
HOUR_S, MINUTE_S = 3600, 60


def time_ticks(duration_s: float) -> tuple[int, ...]:
    """Round times, in seconds, at most 17 of them."""
    step = next((step for step in STEPS_S if duration_s / step <= MOST_TICKS), STEPS_S[-1])
    return tuple(range(0, int(duration_s) + 1, step))


def clock(seconds: float, duration_s: float) -> str:
    """A time as the axis writes it: 0:05, or 1:00:05 in a call of an hour and more."""
    minutes, rest = divmod(int(seconds), MINUTE_S)
    if duration_s < HOUR_S:
        return f"{minutes}:{rest:02}"
    return f"{minutes // MINUTE_S}:{minutes % MINUTE_S:02}:{rest:02}"
