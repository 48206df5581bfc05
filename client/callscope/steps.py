"""A record of the work on one call: which steps ran, how they ended, how long they took."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter

from callscope.call import Step, StepStatus
from callscope.errors import StepFellBack, TritonError
from callscope.telemetry.calls import watched_step
from callscope.triton.attempts import counted

Progress = Callable[[str, int, int], None]
"""Called with a step's name, how many of its parts are done, and how many there are (0: it has no parts)."""


def silent(step: str, done: int, total: int) -> None:
    """Show no progress."""


@dataclass(slots=True)
class Counter:
    """Counts the parts of a step that are done."""

    step: str
    total: int
    progress: Progress
    done: int = 0

    def __call__(self) -> None:
        """Count one more, or as many as there turn out to be."""
        self.done += 1
        self.total = max(self.total, self.done)
        self.progress(self.step, self.done, self.total)


@dataclass(slots=True)
class Record:
    """The steps of one call so far.

    Attributes:
        progress: called as the work goes on.
        steps: those that ended, in order.
        started: when the record was opened.
        required: steps that must not fall back; where one does, `StepFellBack` is raised.
    """

    progress: Progress = silent
    steps: list[Step] = field(default_factory=list)
    started: float = field(default_factory=perf_counter)
    required: frozenset[str] = frozenset()

    @property
    def wall_s(self) -> float:
        """Seconds since the record was opened."""
        return perf_counter() - self.started

    @property
    def degraded(self) -> tuple[str, ...]:
        """The steps that did less than they should."""
        return tuple(step.name for step in self.steps if step.status != "ok")

    @contextmanager
    def step(self, name: str, total: int = 0, *, optional: bool = False) -> Iterator[Counter]:
        """Time a step; call what it gives after each of its `total` parts.

        What fails at the server ends an `optional` step, not the work: the step is noted as failed, and why.
        """
        self.progress(name, 0, total)
        began = perf_counter()
        with counted() as tally:
            try:
                with watched_step(name):
                    yield Counter(name, total, self.progress)
            except TritonError as error:
                if not optional:
                    raise
                self._note(name, "failed", perf_counter() - began, str(error), tally.most)
            else:
                self._note(name, "ok", perf_counter() - began, None, tally.most)

    def fail(self, name: str, reason: str) -> None:
        """Note that a step could not begin, and why."""
        self._note(name, "failed", 0.0, reason)

    def degrade(self, name: str, reason: str) -> None:
        """Note that a step that is done did less than it should, and why."""
        self.steps[:] = [
            replace(step, status="degraded", error=reason) if step.name == name else step for step in self.steps
        ]
        self._require(name, reason)

    def skip(self, name: str, reason: str) -> None:
        """Note that a step was left out, and why."""
        self._note(name, "skipped", 0.0, reason)

    def _note(self, name: str, status: StepStatus, seconds: float, error: str | None, attempts: int = 1) -> None:
        self.steps.append(Step(name, status, seconds, max(attempts, 1), error))
        if status != "ok":
            self._require(name, error or status)

    def _require(self, name: str, reason: str) -> None:
        if name in self.required:
            raise StepFellBack(name, reason)
