"""How far a call is, on stderr; nothing where stderr is no terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from callscope.steps import Progress as Report
from callscope.telemetry import STDERR


@contextmanager
def show_progress(name: str) -> Iterator[Report]:
    """A bar for one call, gone when it is done; call what it gives with each step's name, parts done, parts in all."""
    columns = (TextColumn("{task.fields[call]}  {task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, TimeElapsedColumn(), console=STDERR, transient=True, disable=not STDERR.is_terminal)
    with bar:
        task = bar.add_task("", call=escape(name), total=None)

        def report(step: str, done: int, total: int) -> None:
            bar.update(task, description=step, completed=done, total=total or None)

        yield report
