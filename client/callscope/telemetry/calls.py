"""A call while it is worked on: its id in every line of the log, its outcome and steps in the metrics, its spans.

with whole_call():                      whoever takes calls one by one: the batch, a verb
    with watched_call(record) as watch:     the pipeline
        name_call(sha256)
        with watched_step("vad"): ...           each step
        watch.done(call)
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from structlog.contextvars import bind_contextvars, unbind_contextvars

from callscope.telemetry import metrics
from callscope.telemetry.failures import note_failure
from callscope.telemetry.metrics import Outcome
from callscope.telemetry.spans import describe, span

if TYPE_CHECKING:
    from callscope.call import Call
    from callscope.steps import Record

ID_LENGTH = 16
"""Of the recording's SHA-256: the call's `id` in its result."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Scope:
    """What becomes of a call.

    Attributes:
        outcome: how it ends, if nothing is raised; None where another process sees to it.
        failed_step: the step that ended it.
    """

    outcome: Outcome | None = "analysed"
    failed_step: str = ""


_scope: ContextVar[Scope | None] = ContextVar("scope", default=None)


@contextmanager
def whole_call() -> Iterator[Scope]:
    """Count a call once, by how it ends; a block within another of these is part of it."""
    if (outer := _scope.get()) is not None:
        yield outer
        return
    scope = Scope()
    token = _scope.set(scope)
    metrics.IN_PROGRESS.inc()
    try:
        yield scope
    except Exception as error:
        note_failure(error)
        metrics.CALLS.labels("failed").inc()
        raise
    else:
        if scope.outcome:
            metrics.CALLS.labels(scope.outcome).inc()
    finally:
        metrics.IN_PROGRESS.dec()
        unbind_contextvars("call")
        _scope.reset(token)


def end_as(outcome: Outcome | None, error: Exception | None = None) -> None:
    """Say how the call that is worked on ends: it had a result, say, or was set aside because of an error."""
    if error is not None:
        note_failure(error)
    if (scope := _scope.get()) is not None:
        scope.outcome = outcome


def name_call(sha256: str) -> None:
    """From here on, lines of the log and the open span say which call they are about."""
    bind_contextvars(call=sha256[:ID_LENGTH])
    describe(call=sha256[:ID_LENGTH])


@dataclass(slots=True)
class Watch:
    """What is told of an analysis when it is done."""

    record: Record

    def done(self, call: Call) -> Call:
        """Tell of a call that is analysed, and give it back."""
        made, recording = call.processing, call.recording
        metrics.AUDIO_SECONDS.inc(recording.duration_s)
        if made.rtf is not None:
            metrics.REAL_TIME_FACTOR.observe(made.rtf)
        for step in set(made.degraded):
            metrics.DEGRADED.labels(step).inc()
        describe(duration_s=recording.duration_s, segments=len(call.segments), language=recording.language or "")
        logger.info(
            "analysed",
            extra={
                "source": recording.source,
                "seconds": round(made.wall_seconds, 3),
                "duration_s": round(recording.duration_s, 3),
                "segments": len(call.segments),
                "degraded": list(made.degraded),
            },
        )
        return call


@contextmanager
def watched_call(record: Record) -> Iterator[Watch]:
    """Watch one analysis of a call, from its sound or its transcript; its steps are counted however it ends."""
    with whole_call() as scope, span("call"):
        scope.failed_step = ""
        try:
            yield Watch(record)
        except Exception:
            if scope.failed_step not in {"", *(step.name for step in record.steps)}:
                metrics.STEPS.labels(scope.failed_step, "failed").inc()
            raise
        finally:
            for step in record.steps:
                metrics.STEPS.labels(step.name, step.status).inc()


@contextmanager
def watched_step(name: str) -> Iterator[None]:
    """Time a step; an error that ends it is told."""
    began = perf_counter()
    try:
        with span(f"step {name}", step=name):
            yield
    except Exception as error:
        note_failure(error)
        if (scope := _scope.get()) is not None:
            scope.failed_step = name
        raise
    finally:
        seconds = perf_counter() - began
        metrics.STEP_SECONDS.labels(name).observe(seconds)
        logger.debug("step", extra={"step": name, "seconds": round(seconds, 3)})
