"""Times as people name them: a date, how long ago, or what came with a call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from callscope.errors import SettingsInvalid

AGE = re.compile(r"(\d{1,6})\s*(h|d|w|m|y)")
DATE_KEYS = ("date", "datetime", "started_at", "start_time", "timestamp", "call_date")
"""Metadata that tells when a call took place."""
HOURS = {"h": 1, "d": 24, "w": 7 * 24, "m": 30 * 24, "y": 365 * 24}


def parse_time(text: str, now: datetime | None = None) -> datetime:
    """A date (2026-01-31), a time (2026-01-31T12:00+09:00; without offset UTC), or an age: 12h, 90d, 4w, 6m, 2y.

    A month is 30 days, a year 365.

    Raises:
        SettingsInvalid: it is none of these.
    """
    if age := AGE.fullmatch(text.strip().lower()):
        try:
            return (now or datetime.now(UTC)) - timedelta(hours=int(age[1]) * HOURS[age[2]])
        except OverflowError:
            raise _invalid(text) from None
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise _invalid(text) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def date_of(metadata: Mapping[str, object]) -> datetime | None:
    """When a call took place, by its metadata; UTC where no offset is given, None where no date is."""
    for key in DATE_KEYS:
        try:
            time = datetime.fromisoformat(str(metadata.get(key, "")))
        except ValueError:
            continue
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    return None


def _invalid(text: str) -> SettingsInvalid:
    return SettingsInvalid(f"{text!r} is no time. Write a date (2026-01-31), or an age: 12h, 90d, 4w, 6m, 2y.")
