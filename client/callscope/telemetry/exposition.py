"""Metrics for Prometheus: at an address while a command runs, or in a file when it ends."""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import prometheus_client

from callscope.errors import ResultUnwritable, SettingsInvalid
from callscope.telemetry.stderr import say

logger = logging.getLogger(__name__)


@contextmanager
def exposed(host: str, port: int | None) -> Iterator[None]:
    """Answer at http://HOST:PORT/metrics during the block; with no port nobody is answered, with 0 at any free one.

    Raises:
        SettingsInvalid: nothing can listen there.
    """
    if port is None:
        yield
        return
    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's own oversight
    try:
        server, thread = prometheus_client.start_http_server(port, host)
    except OSError as error:
        raise SettingsInvalid(_refusal(host, port, error)) from error
    server.handle_error = _unheard  # type: ignore[method-assign, assignment]  # a reader that hangs up is nobody's trouble
    if port == 0:
        say(f"Metrics: http://{host}:{server.server_port}/metrics")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def write_textfile(file: Path) -> None:
    """Write the metrics as node_exporter's textfile collector reads them; an old file is replaced as a whole.

    Raises:
        ResultUnwritable: the file cannot be written.
    """
    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # as above
    try:
        prometheus_client.write_to_textfile(str(file), prometheus_client.REGISTRY)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ResultUnwritable(
            f"{file} cannot be written ({reason}). Choose another place with --metrics-textfile."
        ) from error


def _refusal(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is in use. Give --metrics-port another, or 0 for any that is free."
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine. Correct --metrics-host."
    return f"Nothing can listen on port {port} of {host} ({error.strerror}). Choose another with --metrics-port."


def _unheard(request: Any, address: Any) -> None:  # noqa: ANN401  socketserver's signature
    logger.debug("Whoever asked for metrics has gone.")
