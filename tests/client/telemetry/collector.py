"""A collector of OpenTelemetry for tests: OTLP over HTTP, decoded and kept."""

from __future__ import annotations

import gzip
import json
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

WAIT_S = 30.0
"""A bound, and no measurement: Triton sends its spans once a second."""


@dataclass(frozen=True)
class Span:
    """One span as it was received; ids are hexadecimal."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, str]
    failed: bool


class Collector:
    """Everything that was sent.

    Attributes:
        url: where to send it, without a path.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.spans: list[Span] = []

    def take(self, body: bytes, *, as_json: bool) -> None:
        request = read_json(body) if as_json else ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            service = next(one.value.string_value for one in resource.resource.attributes if one.key == "service.name")
            for span in (span for scope in resource.scope_spans for span in scope.spans):
                attributes = {one.key: one.value.string_value or str(one.value.int_value) for one in span.attributes}
                ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
                self.spans.append(Span(service, span.name, *ids, attributes, span.status.code == 2))

    def named(self, name: str, service: str = "callscope") -> list[Span]:
        return [span for span in self.spans if span.name == name and span.service == service]

    def wait_for(self, there: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + WAIT_S
        while not there():
            assert time.monotonic() < deadline_s, sorted((span.service, span.name) for span in self.spans)
            time.sleep(0.05)


def read_json(body: bytes) -> ExportTraceServiceRequest:
    """OTLP's JSON, as Triton sends it: ids are hexadecimal, where protobuf's own JSON has base64."""
    document = json.loads(body)
    for resource in document["resourceSpans"]:
        for span in (span for scope in resource["scopeSpans"] for span in scope["spans"]):
            for name in {"traceId", "spanId", "parentSpanId"} & set(span):
                span[name] = b64encode(bytes.fromhex(span[name])).decode()
    return ParseDict(document, ExportTraceServiceRequest(), ignore_unknown_fields=True)


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens, for as long as the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            collector.take(body, as_json="json" in self.headers["Content-Type"])
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
