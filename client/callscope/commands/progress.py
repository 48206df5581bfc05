"""How far a call is, and what it lacks, on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from callscope.call import Call
from callscope.steps import Progress as Report
from callscope.telemetry import STDERR, say


@contextmanager
def show_progress(name: str) -> Iterator[Report]:
    """A bar for one call, gone when it is done; none where stderr is no terminal.

    Call what it gives with each step's name, parts done, parts in all.
    """
    columns = (TextColumn("{task.fields[call]}  {task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, TimeElapsedColumn(), console=STDERR, transient=True, disable=not STDERR.is_terminal)
    with bar:
        task = bar.add_task("", call=escape(name), total=None)

        def report(step: str, done: int, total: int) -> None:
            bar.tasks[0].total = total or None  # None in update() would leave the total of the step before
            bar.update(task, description=step, completed=done)

        yield report


def tell_fallbacks(call: Call) -> None:
    """A line for each step that was left out or failed, and why."""
    for step in call.processing.steps:
        if step.status != "ok":
            say(f"{call.recording.source}: {step.name} {step.status}: {step.error}")
