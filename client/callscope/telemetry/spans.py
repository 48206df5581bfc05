"""Spans of OpenTelemetry: a call, its steps, its requests. Without its packages they cost nothing.

An application that has set up OpenTelemetry itself gets the spans too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

try:
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError:  # the extra `otel` is not installed
    INSTALLED = False
else:
    INSTALLED = True

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

NAME = "callscope"

_provider: list[TracerProvider] = []


def use(provider: TracerProvider | None) -> None:
    """Give spans to a provider of our own; with None to the application's, if it has one."""
    _provider[:] = [] if provider is None else [provider]


@contextmanager
def span(name: str, *, to_server: bool = False, **attributes: str | int | float) -> Iterator[None]:
    """Time a block as a span within the one that is open.

    An error that leaves the block is the span's, by the name of its class: what it says stays here.

    Args:
        name: of few kinds, never an id.
        to_server: whether the block is a request to a server.
        attributes: what is known of it; names have `callscope.` put before.
    """
    if not INSTALLED:
        yield
        return
    tracer = trace.get_tracer(NAME, tracer_provider=_provider[0] if _provider else None)
    kind = trace.SpanKind.CLIENT if to_server else trace.SpanKind.INTERNAL
    named = {f"{NAME}.{key}": value for key, value in attributes.items()}
    with tracer.start_as_current_span(
        name, kind=kind, attributes=named, record_exception=False, set_status_on_exception=False
    ) as opened:
        try:
            yield
        except BaseException as error:
            opened.set_attribute("error.type", type(error).__name__)
            opened.set_status(trace.Status(trace.StatusCode.ERROR, type(error).__name__))
            raise


def describe(**attributes: str | int | float) -> None:
    """Add what is known by now to the span that is open."""
    if INSTALLED:
        trace.get_current_span().set_attributes({f"{NAME}.{key}": value for key, value in attributes.items()})


def current_trace() -> str:
    """The id of the trace that is open, 32 hexadecimal digits; empty without one."""
    if not INSTALLED:
        return ""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else ""


def propagated() -> dict[str, str]:
    """The headers by which a server's spans join the one that is open (W3C Trace Context); none without one."""
    headers: dict[str, str] = {}
    if INSTALLED:
        TraceContextTextMapPropagator().inject(headers)
    return headers
