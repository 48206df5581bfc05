"""Several EXPORTS in one go, as a TOML file names them."""

import inspect
import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from .errors import RecipeInvalid
from .export import export_classifier, export_whisper
from .plan import ExportReport
from .progress import Progress, silent

EXPORTS: dict[str, Callable[..., ExportReport]] = {
    "whisper": export_whisper,
    "punctuate": partial(export_classifier, name="punctuate"),
    "sentiment": partial(export_classifier, name="sentiment"),
}


def export_all(
    recipe: Path, *, repository: Path | None = None, profile: str | None = None, progress: Progress = silent
) -> tuple[ExportReport, ...]:
    """Run every export that a recipe names.

    The recipe is a TOML file with `repository`, `profile`, `keep_previous` (all optional) and the tables `whisper`,
    `punctuate` and `sentiment`, each with a `source` and any other argument of its export, such as
    `languages = ["ja", "ko"]` or `evaluate = "calls"`. Paths are relative to it.

    Args:
        recipe: The file.
        repository: Where to write, instead of where the recipe says.
        profile: How to serve, instead of what the recipe says.
        progress: Is told what happens, a line at a time.

    Raises:
        RecipeInvalid: The file cannot be read or understood.
        ExportError: One of the exports failed.
    """
    table = _read_recipe(recipe)
    target = repository or recipe.parent / table.pop("repository", "model_repository")
    shared = {"profile": profile or table.pop("profile", "cpu"), "progress": progress}
    shared["keep_previous"] = table.pop("keep_previous", True)
    table = {name: settings for name, settings in table.items() if isinstance(settings, dict)}
    if not table or set(table) - set(EXPORTS):
        raise RecipeInvalid(f"{recipe} names {', '.join(table) or 'no model'}. Use the tables {', '.join(EXPORTS)}.")
    return tuple(_follow(EXPORTS[name], recipe, settings, target, shared) for name, settings in table.items())


def _follow(
    export: Callable[..., ExportReport],
    recipe: Path,
    settings: dict[str, Any],
    repository: Path,
    shared: Mapping[str, Any],
) -> ExportReport:
    source = settings.pop("source", None)
    if source is None:
        raise RecipeInvalid(f"A table of {recipe} has no source. Give each the folder or hub id of its checkpoint.")
    known = inspect.signature(export).parameters
    if unknown := [name for name in settings if name not in known]:
        raise RecipeInvalid(f"{recipe} has the unknown setting {unknown[0]}. Use any of {', '.join(known)}.")
    local = recipe.parent / source
    if "evaluate" in settings:
        settings["evaluate"] = recipe.parent / settings["evaluate"]
    return export(local if local.is_dir() else source, repository, **{**shared, **settings})


def _read_recipe(recipe: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(recipe.read_text())
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeInvalid(f"The recipe {recipe} cannot be read ({error}). Name a TOML file.") from error
