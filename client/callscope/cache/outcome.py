"""What became of looking for a result."""

from __future__ import annotations

import logging
from enum import StrEnum

from callscope.telemetry.calls import end_as
from callscope.telemetry.metrics import CACHE

logger = logging.getLogger(__name__)


class Outcome(StrEnum):
    """Whether a result was there."""

    HIT = "hit"
    MISS = "miss"
    UNSURE = "unsure"
    """Nobody could tell what the servers serve, so that no result could be known to be theirs."""
    FAILED = "failed"
    """The file of results could not be read."""


def tell(outcome: Outcome, recording: str) -> None:
    """Say in the log and the metrics how it went: the one place that every look-up comes by.

    Args:
        outcome: how it went.
        recording: the SHA-256 of the recording.
    """
    CACHE.labels(outcome).inc()
    if outcome is Outcome.HIT:
        end_as("cached")
    said = "Its result is taken from the cache." if outcome is Outcome.HIT else "It is analysed."
    logger.info("Cache %s for recording %s. %s", outcome, recording[:16], said)
