"""Ports: which are free, and which are taken."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence

from callscope_server.errors import PortInUse, ServerError

HIGHEST_PORT = 65535


def numeric_address(host: str) -> str:
    """The IPv4 address of `host`: Triton listens on numbers only.

    Raises:
        ServerError: the name is unknown.
    """
    try:
        return socket.gethostbyname(host)
    except OSError as error:
        raise ServerError(f"The host {host} is unknown: {error.strerror}. Use 127.0.0.1 or 0.0.0.0.") from error


def choose_ports(host: str, wanted: Sequence[int]) -> tuple[int, ...]:
    """The wanted ports of a numeric address, each 0 replaced by a free one; all different.

    Raises:
        PortInUse: a port that was asked for is taken.
        ServerError: the host is not this machine's, or a port may not be used.
    """
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in wanted]
    try:
        return tuple(_bind(each, host, port) for each, port in zip(sockets, wanted, strict=True))
    finally:
        for each in sockets:
            each.close()


def _bind(each: socket.socket, host: str, port: int) -> int:
    if not 0 <= port <= HIGHEST_PORT:
        raise ServerError(f"{port} is not a port number. Choose one from 1 to {HIGHEST_PORT}, or 0 for any free one.")
    each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        each.bind((host, port))
    except PermissionError as error:
        raise ServerError(
            f"{host}:{port} cannot be listened on: {error.strerror}. Choose another host or port."
        ) from error
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            raise ServerError(f"{host} is not an address of this machine. Use 127.0.0.1 or 0.0.0.0.") from error
        raise PortInUse(host, port) from error
    return int(each.getsockname()[1])
