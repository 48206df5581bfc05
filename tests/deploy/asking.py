"""Single requests to a server, and what became of them."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping

import grpc
from tritonclient.grpc import service_pb2_grpc


def ask_http(place: str, method: str, path: str, headers: Mapping[str, str]) -> tuple[int, str]:
    """The status and the body of an answer."""
    data = b"{}" if method == "POST" else None
    request = urllib.request.Request(f"http://{place}{path}", data=data, method=method, headers=dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def ask_grpc(channel: grpc.Channel, method: str, request: object, headers: Mapping[str, str]) -> tuple[str, str]:
    """The status and the message of an answer."""
    try:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        getattr(stub, method)(request, metadata=list(headers.items()), timeout=20)
    except grpc.RpcError as error:
        return error.code().name, error.details()
    return "OK", ""
