"""Where the clone's sources are, for the processes that are started."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("", "client", "preprocessing", "export", "server")


def environment() -> Mapping[str, str]:
    """This process's environment, with the sources of this clone before any that are installed."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / folder) for folder in FOLDERS)}
