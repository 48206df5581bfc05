"""`callscope cache`: results that are used again, looked at and thrown away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Annotated, Any

import typer

from callscope.cache.place import results_of
from callscope.cache.results import Results, Status
from callscope.commands.options import CACHE, LOG, with_settings
from callscope.errors import CacheUnusable
from callscope.settings import Loaded
from callscope.telemetry import say
from callscope.when import parse_time

app = typer.Typer(help="Show results that are used again, or throw them away.", rich_markup_mode=None)


def unless_another_follows(verb: Callable[..., None]) -> Callable[..., None]:
    """Run a group's own verb where none of the group's is named after it."""

    @wraps(verb)
    def run(context: typer.Context, **given: Any) -> None:  # noqa: ANN401  (whatever the verb's own options are)
        if context.invoked_subcommand is None:
            verb(context, **given)

    return run


@app.callback(invoke_without_command=True)
@unless_another_follows
@with_settings(*CACHE, *LOG)
def show(loaded: Loaded) -> None:
    """Show how many results are kept to be used again, how often they were, and since when."""
    results = results_of(loaded.settings)
    status = results.status()
    results.close()
    for name, value in _described(status, loaded.settings.cache_max_bytes).items():
        typer.echo(f"{name:8} {value}")


@app.command()
@with_settings("cache", *LOG)
def clear(
    loaded: Loaded,
    older_than: Annotated[
        str | None, typer.Option(help="Only what was made before: an age such as 30d, or a date.")
    ] = None,
) -> None:
    """Throw away results that are kept to be used again; stored results stay."""
    before = parse_time(older_than) if older_than else None
    results = results_of(loaded.settings)
    count = _cleared(results, before) if results.file.exists() else 0
    results.close()
    say(f"{count} results are gone from {results.file.parent}.")


def _cleared(results: Results, before: datetime | None) -> int:
    """Throw away; a file that is damaged goes as a whole, if everything is to go."""
    try:
        return results.clear(before.timestamp() if before else float("inf"))
    except CacheUnusable:
        if before:
            raise
        results.remove()
        return 0


def _described(status: Status, limit_bytes: int) -> dict[str, object]:
    oldest = datetime.fromtimestamp(status.oldest_s, UTC) if status.oldest_s is not None else None
    return {
        "file": status.file,
        "entries": status.entries,
        "bytes": status.bytes,
        "limit": limit_bytes,
        "hits": status.hits,
        "oldest": f"{oldest:%Y-%m-%d %H:%M} UTC" if oldest else "-",
    }
