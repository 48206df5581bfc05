"""What the gateway lets through: requests of an honest size, over TLS, to what a client needs, and nothing else."""

from __future__ import annotations

import asyncio
import http.client
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from tritonclient.grpc import service_pb2

from callscope.errors import CallscopeError, ServerUnreachable
from callscope.triton.tls import Tls
from callscope.triton.transport import connect

from .asking import ask_grpc
from .running import PROXY, Guarded, free_ports, gateway
from .test_access import GRPC_OF_ADMINISTRATORS, GRPC_OF_CLIENTS, OF_ADMINISTRATORS, RESTRICTED

MIB = 1 << 20
WINDOW_S, RATE_HZ, SAMPLE_BYTES, BATCH = 30, 16_000, 2, 16
INFER = "POST /v2/models/transcribe/infer"
TOO_LARGE = 413


Body = Iterator[bytes] | bytes


def ask(front: str, server: Guarded, line: str, headers: Mapping[str, str], body: Body = b"") -> tuple[int, str]:
    """Send a request, METHOD PATH, over TLS: the status and the body of the answer."""
    method, path = line.split()
    context = ssl.create_default_context(cafile=server.secrets / "ca.crt")
    connection = http.client.HTTPSConnection(front, context=context, timeout=60)
    try:
        with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLError):  # it answered before it had all
            connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def secure(place: str, secrets: Path) -> grpc.Channel:
    """A channel that trusts the gateway."""
    return grpc.secure_channel(place, grpc.ssl_channel_credentials((secrets / "ca.crt").read_bytes()))


def memory_bytes(pid: int) -> int:
    """What a process has in memory, and the most it ever had."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


def zeros(size_bytes: int) -> Iterator[bytes]:
    """So many of them, piece by piece."""
    piece = bytes(MIB)
    return (piece for _ in range(size_bytes // MIB))


@pytest.mark.parametrize("told", ["its length", "nothing"])
def test_a_request_of_a_gib_is_refused_and_triton_does_not_grow(front: str, guarded: Guarded, told: str) -> None:
    before_bytes = memory_bytes(guarded.pid)
    length = {"Content-Length": str(1024 * MIB)} if told == "its length" else {}
    headers = {**guarded.client_headers, **length}
    try:
        status, _ = ask(front, guarded, INFER, headers, zeros(1024 * MIB))
        assert status == TOO_LARGE
    except (ConnectionResetError, ssl.SSLError, http.client.RemoteDisconnected):
        pass  # the line was cut while it sent: as good as no
    assert memory_bytes(guarded.pid) - before_bytes < 64 * MIB
    assert ask(front, guarded, "GET /v2/health/ready", {})[0] == 200


def test_a_large_grpc_message_is_refused_in_grpcs_own_words(front: str, guarded: Guarded) -> None:
    before_bytes = memory_bytes(guarded.pid)
    large = service_pb2.ModelInferRequest(model_name="transcribe", raw_input_contents=[bytes(48 * MIB)])
    with secure(front, guarded.secrets) as channel:
        status, message = ask_grpc(channel, "ModelInfer", large, guarded.client_headers)
    assert status == "RESOURCE_EXHAUSTED", message
    assert memory_bytes(guarded.pid) - before_bytes < 40 * MIB


def test_a_full_batch_of_the_longest_windows_passes(front: str, guarded: Guarded) -> None:
    body = bytes(WINDOW_S * RATE_HZ * SAMPLE_BYTES * BATCH)
    status, answer = ask(front, guarded, INFER, guarded.client_headers, body)
    assert "failed to parse the request JSON buffer" in answer, status  # Triton had it
    request = service_pb2.ModelInferRequest(model_name="transcribe", raw_input_contents=[body])
    with secure(front, guarded.secrets) as channel:
        assert ask_grpc(channel, "ModelInfer", request, guarded.client_headers)[0] == "INVALID_ARGUMENT"


@pytest.mark.parametrize(("method", "path"), OF_ADMINISTRATORS)
def test_the_administrators_http_does_not_pass_whatever_the_key(
    front: str, guarded: Guarded, method: str, path: str
) -> None:
    status, body = ask(front, guarded, f"{method} {path}", guarded.admin_headers, b"{}" if method == "POST" else b"")
    assert (status, "nginx" in body) == (403, True)


@pytest.mark.parametrize("method", GRPC_OF_ADMINISTRATORS)
def test_the_administrators_grpc_does_not_pass_whatever_the_key(front: str, guarded: Guarded, method: str) -> None:
    with secure(front, guarded.secrets) as channel:
        status, message = ask_grpc(channel, method, GRPC_OF_ADMINISTRATORS[method], guarded.admin_headers)
    assert (status, message) == ("PERMISSION_DENIED", "the gateway does not pass this on")


def test_the_clients_key_is_asked_for_behind_the_gateway_too(front: str, guarded: Guarded) -> None:
    status, body = ask(front, guarded, INFER, {}, b"{}")
    assert (status, RESTRICTED in body) == (403, True)
    with secure(front, guarded.secrets) as channel:
        for method, request in GRPC_OF_CLIENTS.items():
            assert RESTRICTED in ask_grpc(channel, method, request, {})[1]


def test_what_is_not_tls_is_refused(front: str, guarded: Guarded) -> None:
    with grpc.insecure_channel(front) as channel:
        request = GRPC_OF_CLIENTS["ModelMetadata"]
        assert ask_grpc(channel, "ModelMetadata", request, guarded.client_headers)[0] == "UNAVAILABLE"
    plain = http.client.HTTPConnection(front, timeout=20)
    plain.request("GET", "/v2/health/ready")
    assert plain.getresponse().status == 400
    plain.close()


@pytest.mark.parametrize("wire", ["https", "grpcs"])
def test_a_client_that_does_not_trust_it_says_so(front: str, guarded: Guarded, wire: str) -> None:
    async def ask_untrusting() -> object:
        transport = connect(f"{wire}://{front}", headers=guarded.client_headers, timeout_s=5)
        try:
            return await transport.parameters("transcribe")
        finally:
            await transport.close()

    with pytest.raises(CallscopeError) as caught:
        asyncio.run(ask_untrusting())
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("wire", ["https", "grpcs"])
def test_a_triton_that_is_away_is_away_for_clients_too(guarded: Guarded, tmp_path: Path, wire: str) -> None:
    http_port, grpc_port = free_ports(2)
    away = replace(guarded, http=f"127.0.0.1:{http_port}", grpc=f"127.0.0.1:{grpc_port}")

    async def ask_absent(place: str) -> object:
        tls = Tls(ca=guarded.secrets / "ca.crt")
        transport = connect(f"{wire}://{place}", headers=guarded.client_headers, tls=tls, timeout_s=5)
        try:
            return await transport.parameters("transcribe")
        finally:
            await transport.close()

    with gateway(away, tmp_path) as place, pytest.raises(CallscopeError) as caught:
        asyncio.run(ask_absent(place))
    assert isinstance(caught.value, ServerUnreachable) or "Busy" in type(caught.value).__name__


def test_what_was_sent_touches_no_disk(front: str, guarded: Guarded, tmp_path_factory: pytest.TempPathFactory) -> None:
    ask(front, guarded, INFER, guarded.client_headers, bytes(8 * MIB))
    (folder,) = tmp_path_factory.getbasetemp().glob("gateway0")
    assert [file for name in ("body", "proxy") for file in (folder / name).rglob("*") if file.is_file()] == []
    assert "buffered to a temporary file" not in (folder / "nginx.log").read_text()


def test_under_systemd_it_logs_elsewhere_and_serves_the_same(guarded: Guarded, tmp_path: Path) -> None:
    with gateway(guarded, tmp_path, "host") as place:
        assert ask(place, guarded, "GET /v2/health/ready", {})[0] == 200


def test_the_limit_is_that_of_a_full_batch() -> None:
    (limit,) = re.findall(r"client_max_body_size (\d+)m;", (PROXY / "nginx.conf").read_text())
    full_bytes = WINDOW_S * RATE_HZ * SAMPLE_BYTES * BATCH
    assert full_bytes < int(limit) * MIB < 2 * full_bytes
