"""What goes to stderr: logs, progress, errors. Results alone go to stdout."""

from __future__ import annotations

import logging

from rich.console import Console

STDERR = Console(stderr=True)
TOLD = "told"
"""Marks a record of the log whose sentence the user is shown anyway."""

logger = logging.getLogger("callscope")
logger.addHandler(logging.NullHandler())  # until a command or an application says where logs go, they go nowhere

_json_alone: list[bool] = []


def speak_json(*, alone: bool) -> None:
    """Whether stderr holds lines of JSON and nothing else."""
    _json_alone[:] = [True] if alone else []


def say(message: str) -> None:
    """One line to the user on stderr, as it is: no markup, no wrapping. It is logged too."""
    logger.info("%s", message, extra={TOLD: True})
    show(message)


def show(message: str) -> None:
    """One line to the user on stderr of what is logged already; where stderr is JSON, the log has shown it."""
    if not _json_alone:
        STDERR.print(message, markup=False, highlight=False, soft_wrap=True)
