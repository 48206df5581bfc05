"""Where results are kept to be used again, and whether they are."""

from __future__ import annotations

import os
from pathlib import Path

from callscope.cache.results import SECONDS_A_DAY, Results
from callscope.settings import CACHE_OFF, Settings


def open_results(settings: Settings, *, by_default: bool) -> Results | None:
    """The results that a verb may use again.

    Args:
        settings: `cache` and its limits.
        by_default: whether the verb keeps results though the setting is empty.

    Returns:
        None where it keeps none.
    """
    if settings.cache == CACHE_OFF or (settings.cache is None and not by_default):
        return None
    return results_of(settings)


def results_of(settings: Settings) -> Results:
    """The results in the folder that `cache` names, or in the user's; nothing is made before they are used."""
    max_age_s = settings.cache_days * SECONDS_A_DAY
    return Results(_folder(settings), max_bytes=settings.cache_max_bytes, max_age_s=max_age_s)


def _folder(settings: Settings) -> Path:
    if settings.cache and settings.cache != CACHE_OFF:
        return Path(settings.cache).expanduser().absolute()
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "callscope" / "results"
