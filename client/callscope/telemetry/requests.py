"""One request to a server: timed, counted, and a span that the server's own spans join."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from callscope.telemetry.metrics import server_of, timed_request
from callscope.telemetry.spans import propagated, span


@contextmanager
def watched_request(url: str, model: str) -> Iterator[dict[str, str]]:
    """Watch a request; what it gives are headers to send with it."""
    with timed_request(url, model), span(f"infer {model}", to_server=True, model=model, server=server_of(url)):
        yield propagated()
