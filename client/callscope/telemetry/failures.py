"""An error told once to logs and metrics, however many blocks it leaves on its way up."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

from callscope.telemetry.metrics import ERRORS
from callscope.telemetry.stderr import TOLD

SEEN = "callscope_seen"

logger = logging.getLogger(__name__)


def note_failure(error: BaseException) -> None:
    """Count and log an error where it is first met; further up the same one is no news.

    Of an error that is a bug the place is logged and not the message, which might repeat what was said in a call.
    """
    if getattr(error, SEEN, False):
        return
    setattr(error, SEEN, True)
    name = type(error).__name__
    ERRORS.labels(name).inc()
    said = str(error) if hasattr(error, "exit_code") else f"{name} at {_place(error)}"
    logger.error("%s", said, extra={TOLD: True, "error": name})


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"
