"""Where the files lie that a clone has and an installed wheel has not: the demo, the model repository."""

from __future__ import annotations

from pathlib import Path

from callscope.errors import SettingsInvalid
from callscope.settings import Settings

ROOT = Path(__file__).parents[2]


def find(name: str) -> Path | None:
    """A folder of the clone this code runs from, else of the working directory; None if neither has it."""
    return next((place / name for place in (ROOT, Path.cwd()) if (place / name).is_dir()), None)


def model_repository(settings: Settings) -> Path:
    """The model repository to serve.

    Raises:
        SettingsInvalid: none was named, and this is no clone.
    """
    found = settings.repository or find("model_repository")
    if found is None:
        raise SettingsInvalid(
            "There is no model repository here: Callscope was installed without its clone. "
            "Name one with --repository, or a running server with --server."
        )
    return found
