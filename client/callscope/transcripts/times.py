"""Times as transcripts write them. A time that is not written is an error, and never made up."""

from __future__ import annotations

import math
import re

SECONDS = re.compile(r"(-?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?)\s*s?", re.ASCII)
CLOCK = re.compile(r"(-?)(?:(\d+):)?(\d{1,3}):(\d{1,2})(?:[.,](\d{1,9}))?", re.ASCII)
SIXTY = 60


def seconds(value: object) -> float:
    """The time that a value says, in seconds: 83.5, "83.5", "83,5 s", "1:23.5" or "00:01:23,500".

    Raises:
        ValueError: it says none, or one that cannot be; the message says why.
    """
    if value is None or value == "":
        raise ValueError("is not told, and times are not made up")
    time_s = _number(value) if isinstance(value, int | float) else _written(str(value).strip())
    if not math.isfinite(time_s):
        raise ValueError(f"is no time: {value!s:.40}")
    if time_s < 0:
        raise ValueError(f"lies before the call: {value!s:.40}")
    return time_s + 0.0  # -0.0 is 0.0


def _number(value: float) -> float:
    if isinstance(value, bool):
        raise ValueError(f"is no time: {value}")  # noqa: TRY004  a value of the file, no mistake of the caller
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _written(text: str) -> float:
    if found := SECONDS.fullmatch(text):
        return float(found[1].replace(",", "."))
    found = CLOCK.fullmatch(text)
    if not found:
        raise ValueError(f"is no time: {text[:40]!r}")
    sign, hours, minutes, second, fraction = found.groups()
    if int(second) >= SIXTY or (hours and int(minutes) >= SIXTY):
        raise ValueError(f"has more than 59 minutes or seconds: {text[:40]!r}")
    whole = (int(hours[:9] if hours else 0) * SIXTY + int(minutes)) * SIXTY + int(second)
    return (whole + float(f"0.{fraction or 0}")) * (-1 if sign else 1)
