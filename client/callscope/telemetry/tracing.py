"""Spans on their way to a collector, by OTLP over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from callscope import __version__
from callscope.errors import ExtraMissing
from callscope.telemetry import spans

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

TRACES_PATH = "/v1/traces"
SEND_TIMEOUT_S = 2.0
"""A collector that hangs holds up the end of a command by no more than this."""

logger = logging.getLogger(__name__)


def traces_url(endpoint: str) -> str:
    """Where spans are sent: the endpoint, with OTLP's own path where it has none."""
    return endpoint if urlsplit(endpoint).path.strip("/") else endpoint.rstrip("/") + TRACES_PATH


@contextmanager
def traced(endpoint: str | None) -> Iterator[None]:
    """Send the spans of the block to a collector; without one they are not made.

    A collector that does not answer is told once, and fails nothing. `OTEL_EXPORTER_OTLP_HEADERS` and
    `OTEL_RESOURCE_ATTRIBUTES` are heeded.

    Raises:
        ExtraMissing: the extra `otel` is not installed.
    """
    if not endpoint:
        yield
        return
    provider = _provider(traces_url(endpoint))
    spans.use(provider)
    try:
        yield
    finally:
        spans.use(None)
        provider.shutdown()


def _provider(url: str) -> TracerProvider:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  an extra
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415  as above
        from opentelemetry.sdk.trace import ReadableSpan, TracerProvider  # noqa: PLC0415  as above
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult  # noqa: PLC0415  as above
    except ImportError as error:
        raise ExtraMissing("Sending traces", "otel") from error

    class Exporter(OTLPSpanExporter):
        """Says once that the collector is away, where the library would say it each time."""

        told = False

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            result = super().export(spans)
            if result is not SpanExportResult.SUCCESS and not self.told:
                self.told = True
                logger.warning("Traces cannot be sent to %s. The work goes on without them.", url)
            return result

    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    made = Resource.create({"service.name": "callscope", "service.version": __version__})
    provider = TracerProvider(resource=made, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(Exporter(endpoint=url, timeout=SEND_TIMEOUT_S)))
    return provider
