"""What goes to stderr: logs, progress, errors. Results alone go to stdout."""

from __future__ import annotations

import logging

from rich.console import Console
from rich.logging import RichHandler

from callscope.settings import LogLevel

STDERR = Console(stderr=True)


def configure_logging(level: LogLevel) -> None:
    """Send the program's own log to stderr; what other libraries log is shown from warnings on."""
    handler = RichHandler(console=STDERR, show_path=False, markup=False)
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s", handlers=[handler], force=True)
    for package in ("callscope", "callscope_preprocessing", "callscope_server", "callscope_export"):
        logging.getLogger(package).setLevel(level.upper())
    logging.getLogger("stamina").setLevel("ERROR" if level == "warning" else level.upper())


def say(message: str) -> None:
    """One line to the user on stderr, as it is: no markup, no wrapping."""
    STDERR.print(message, markup=False, highlight=False, soft_wrap=True)
