"""What a running tritonserver says about itself over HTTP."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import NamedTuple

TIMEOUT_S = 5.0


class ModelStatus(NamedTuple):
    """One version of one model, as the server sees it.

    Attributes:
        name: the model's name.
        version: its version.
        state: READY, LOADING, UNAVAILABLE or UNLOADING.
        reason: why it is not ready; empty when it is.
    """

    name: str
    version: str
    state: str
    reason: str


def is_ready(address: str) -> bool:
    """Whether the server at `address` ("host:port") and all its models can take requests; False if nobody answers."""
    try:
        status, _ = _ask(address, "GET", "/v2/health/ready")
    except (OSError, http.client.HTTPException):
        return False
    return status == http.HTTPStatus.OK


def fetch_models(address: str, headers: Mapping[str, str] | None = None) -> list[ModelStatus]:
    """The models of the server at `address`, sorted by name and version.

    Args:
        address: "host:port".
        headers: what the server asks of those who look inside it.

    Raises:
        OSError: the server does not answer.
    """
    _, body = _ask(address, "POST", "/v2/repository/index", headers)
    entries = json.loads(body)
    return sorted(
        ModelStatus(e["name"], e.get("version", ""), e.get("state", ""), e.get("reason", "")) for e in entries
    )


def _ask(address: str, method: str, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(address, timeout=TIMEOUT_S)
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
