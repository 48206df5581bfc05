"""Who has no key, or the client's alone, cannot change a guarded Triton nor look inside it, on HTTP and gRPC."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import grpc
import pytest
from tritonclient.grpc import service_pb2

from callscope.doctor import check_server
from callscope.errors import AccessDenied
from callscope.settings import load_settings
from callscope.triton.tls import Tls
from callscope.triton.transport import connect

from .asking import ask_grpc, ask_http
from .running import Guarded, guarded_triton

OF_CLIENTS = [
    ("GET", "/v2/models/sentiment"),
    ("GET", "/v2/models/sentiment/config"),
    ("POST", "/v2/models/sentiment/infer"),
    ("GET", "/v2"),
]
OF_ADMINISTRATORS = [
    ("POST", "/v2/repository/index"),
    ("POST", "/v2/repository/models/sentiment/load"),
    ("POST", "/v2/repository/models/sentiment/unload"),
    ("GET", "/v2/models/stats"),
    ("GET", "/v2/models/sentiment/stats"),
    ("GET", "/v2/systemsharedmemory/status"),
    ("POST", "/v2/systemsharedmemory/region/mine/register"),
    ("GET", "/v2/cudasharedmemory/status"),
    ("GET", "/v2/trace/setting"),
    ("POST", "/v2/models/sentiment/trace/setting"),
    ("GET", "/v2/logging"),
    ("POST", "/v2/logging"),
]
GRPC_OF_CLIENTS = {
    "ServerMetadata": service_pb2.ServerMetadataRequest(),
    "ModelMetadata": service_pb2.ModelMetadataRequest(name="sentiment"),
    "ModelConfig": service_pb2.ModelConfigRequest(name="sentiment"),
    "ModelInfer": service_pb2.ModelInferRequest(model_name="sentiment"),
}
GRPC_OF_ADMINISTRATORS = {
    "RepositoryIndex": service_pb2.RepositoryIndexRequest(),
    "RepositoryModelLoad": service_pb2.RepositoryModelLoadRequest(model_name="sentiment"),
    "RepositoryModelUnload": service_pb2.RepositoryModelUnloadRequest(model_name="sentiment"),
    "ModelStatistics": service_pb2.ModelStatisticsRequest(),
    "SystemSharedMemoryStatus": service_pb2.SystemSharedMemoryStatusRequest(),
    "SystemSharedMemoryRegister": service_pb2.SystemSharedMemoryRegisterRequest(name="mine", key="/mine", byte_size=8),
    "SystemSharedMemoryUnregister": service_pb2.SystemSharedMemoryUnregisterRequest(),
    "CudaSharedMemoryStatus": service_pb2.CudaSharedMemoryStatusRequest(),
    "TraceSetting": service_pb2.TraceSettingRequest(),
    "LogSettings": service_pb2.LogSettingsRequest(),
}
RESTRICTED = "is restricted, expecting header"


@pytest.mark.parametrize(("method", "path"), OF_ADMINISTRATORS)
def test_http_that_changes_or_looks_inside_is_the_administrators(guarded: Guarded, method: str, path: str) -> None:
    for headers in ({}, guarded.client_headers, dict.fromkeys(guarded.admin_headers, "another-key-of-some-length")):
        status, body = ask_http(guarded.http, method, path, headers)
        assert (status, RESTRICTED in body) == (403, True), body
    assert RESTRICTED not in ask_http(guarded.http, method, path, guarded.admin_headers)[1]


@pytest.mark.parametrize(("method", "path"), OF_CLIENTS)
def test_http_that_asks_models_takes_the_clients_key(guarded: Guarded, method: str, path: str) -> None:
    for headers in ({}, guarded.admin_headers):
        status, body = ask_http(guarded.http, method, path, headers)
        assert (status, RESTRICTED in body) == (403, True), body
    assert RESTRICTED not in ask_http(guarded.http, method, path, guarded.client_headers)[1]


@pytest.mark.parametrize("method", [*GRPC_OF_ADMINISTRATORS, *GRPC_OF_CLIENTS])
def test_grpc_asks_for_the_same_keys(guarded: Guarded, method: str) -> None:
    opens, not_enough = guarded.admin_headers, guarded.client_headers
    if method in GRPC_OF_CLIENTS:
        opens, not_enough = not_enough, opens
    request = {**GRPC_OF_ADMINISTRATORS, **GRPC_OF_CLIENTS}[method]
    with grpc.insecure_channel(guarded.grpc) as channel:
        for headers in ({}, not_enough, dict.fromkeys(opens, "another-key-of-some-length")):
            status, message = ask_grpc(channel, method, request, headers)
            assert (status, RESTRICTED in message) == ("UNAVAILABLE", True), message
        assert RESTRICTED not in ask_grpc(channel, method, request, opens)[1]


def test_nobody_can_unload_a_model_not_even_the_administrator(guarded: Guarded) -> None:
    path = "/v2/repository/models/sentiment/unload"
    status, body = ask_http(guarded.http, "POST", path, guarded.admin_headers)
    assert (status, "not allowed" in body) == (503, True), body
    assert ask_http(guarded.http, "GET", "/v2/models/sentiment", guarded.client_headers)[0] == 200


def test_health_and_metrics_need_no_key_and_show_none(guarded: Guarded) -> None:
    assert ask_http(guarded.http, "GET", "/v2/health/ready", {})[0] == 200
    status, metrics = ask_http(guarded.metrics, "GET", "/metrics", {})
    assert (status, "nv_inference_pending_request_count" in metrics) == (200, True)
    for name in ("client_key", "admin_key"):
        key = (guarded.secrets / name).read_text().strip()
        assert key not in metrics
        assert key not in guarded.log.read_text()


@pytest.mark.parametrize("wire", ["http", "grpc"])
def test_a_client_without_its_key_is_told_so_at_once(guarded: Guarded, wire: str) -> None:
    async def ask(headers: Mapping[str, str]) -> dict[str, str]:
        transport = connect(f"{wire}://{getattr(guarded, wire)}", headers=headers)
        try:
            return await transport.parameters("transcribe")
        finally:
            await transport.close()

    with pytest.raises(AccessDenied, match=r"CALLSCOPE_HEADERS.*header") as caught:
        asyncio.run(ask({}))
    assert caught.value.exit_code == 4
    assert asyncio.run(ask(guarded.client_headers))["contract"] == "1"


@pytest.mark.parametrize("wire", ["http", "grpc"])
def test_doctor_is_content_with_the_clients_key(guarded: Guarded, wire: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"{wire}://{getattr(guarded, wire)}"
    assert not check_server(url, load_settings().settings).ok
    monkeypatch.setenv("CALLSCOPE_SECRETS_DIR", str(guarded.secrets))
    assert check_server(url, load_settings().settings).ok


def test_a_folder_of_secrets_holds_settings_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "headers").write_text("x-key: s3cr3t\n")
    (tmp_path / "store").write_text("a.db\n")
    (tmp_path / "another").write_text("nothing of ours")
    monkeypatch.setenv("CALLSCOPE_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("CALLSCOPE_STORE", "b.db")
    loaded = load_settings()
    assert loaded.settings.header_fields() == {"x-key": "s3cr3t"}
    assert (loaded.settings.store, loaded.sources["store"]) == ("b.db", "environment")
    assert loaded.sources["headers"] == "$CALLSCOPE_SECRETS_DIR"


def test_a_server_without_keys_does_not_start(tmp_path: Path, make_start: Callable[[Path], int]) -> None:
    assert make_start(tmp_path) == 2
    (tmp_path / "client_key").write_text("short")
    assert make_start(tmp_path) == 2


@pytest.fixture
def make_start() -> Callable[[Path], int]:
    """Call start.sh with a folder of secrets; its exit code. It ends before it comes to a server."""
    from .running import START  # noqa: PLC0415  nobody else needs it

    def start(folder: Path) -> int:
        told = {"PATH": "/usr/bin:/bin", "CALLSCOPE_SECRETS_DIR": str(folder), "TRITONSERVER": "/bin/true"}
        return subprocess.run([START], env=told, check=False, capture_output=True).returncode

    return start


def test_plain_grpc_is_refused_where_tls_is_on(
    server_environment: object, secrets: Path, tmp_path: Path, plus_one_repository: Path
) -> None:
    more = ["--grpc-use-ssl=true", f"--grpc-server-cert={secrets}/tls.crt", f"--grpc-server-key={secrets}/tls.key"]
    request = service_pb2.ServerLiveRequest()
    with guarded_triton(server_environment, plus_one_repository, secrets, tmp_path, *more) as server:  # type: ignore[arg-type]  # a fixture
        with grpc.insecure_channel(server.grpc) as plain:
            assert ask_grpc(plain, "ServerLive", request, {})[0] == "UNAVAILABLE"
        trusted = grpc.ssl_channel_credentials((secrets / "ca.crt").read_bytes())
        with grpc.secure_channel(server.grpc, trusted) as secure:
            assert ask_grpc(secure, "ServerLive", request, {}) == ("OK", "")
        assert json.loads(ask_http(server.http, "GET", "/v2", server.client_headers)[1])["name"] == "triton"


@pytest.fixture
def plus_one_repository(tmp_path: Path) -> Path:
    """A repository of one small model."""
    from ..small_models import add_model, make_plus_one  # noqa: PLC0415  needs onnx

    (tmp_path / "models").mkdir()
    add_model(tmp_path / "models", "plus_one", make_plus_one())
    return tmp_path / "models"


def test_tls_through_the_client_trusts_whom_it_is_told(front: str, guarded: Guarded) -> None:
    async def ask(wire: str) -> dict[str, str]:
        tls = Tls(ca=guarded.secrets / "ca.crt")
        transport = connect(f"{wire}://{front}", headers=guarded.client_headers, tls=tls)
        try:
            return await transport.parameters("transcribe")
        finally:
            await transport.close()

    assert asyncio.run(ask("https")) == asyncio.run(ask("grpcs"))
