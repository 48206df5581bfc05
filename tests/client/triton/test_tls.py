"""TLS to a real Triton over gRPC, and over HTTP through a gateway that speaks it; headers stay secret."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from typer.testing import CliRunner

from callscope.cli import app
from callscope.doctor import check_server
from callscope.errors import CallscopeError, ServerUnreachable, SettingsInvalid
from callscope.served import describe
from callscope.settings import load_settings
from callscope.triton.resilient import connect_all, open_transport
from callscope.triton.tls import Tls
from callscope.triton.transport import connect

from .running import save_models

if TYPE_CHECKING:
    from callscope_server.environment import Environment
    from callscope_server.launcher import TritonServer

ONE = {"x": np.ones((1, 2), np.float32)}
SECRET = "Bearer f00-ba5-s3cr3t"


@dataclass(frozen=True)
class Authority:
    """A certificate authority of our own, and what it has signed."""

    folder: Path

    def __getattr__(self, name: str) -> Path:
        return self.folder / f"{name}.pem"

    def sign(self, name: str) -> None:
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}_key.pem",
                     "-out", f"{name}.csr")  # fmt: skip
        (self.folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca_key.pem", "-CAcreateserial",
                     "-days", "2", "-extfile", "names", "-out", f"{name}.pem")  # fmt: skip

    def openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("certificates"))
    made.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Test CA", "-days", "2", "-addext",
                 "keyUsage=keyCertSign", "-keyout", "ca_key.pem", "-out", "ca.pem")  # fmt: skip
    made.sign("server")
    made.sign("client")
    return made


@pytest.fixture(scope="module")
def mutual(
    authority: Authority, server_environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TritonServer]:
    """A Triton whose gRPC speaks TLS and asks for the client's certificate."""
    from callscope_server import launcher  # noqa: PLC0415  most tests need no server

    plain = launcher.triton_arguments
    more = [
        "--grpc-use-ssl=1",
        "--grpc-use-ssl-mutual=1",
        f"--grpc-server-cert={authority.server}",
        f"--grpc-server-key={authority.server_key}",
        f"--grpc-root-cert={authority.ca}",
    ]

    def arguments(*given: Any, **named: Any) -> list[str]:
        return [*plain(*given, **named), *more]

    models = save_models(tmp_path_factory.mktemp("models"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launcher, "triton_arguments", arguments)
        with launcher.TritonServer(models, environment=server_environment) as server:
            yield server


@asynccontextmanager
async def gateway(server: TritonServer, context: ssl.SSLContext, seen: list[bytes]) -> AsyncIterator[str]:
    """HTTP with TLS in front of a server; keeps what passes towards it."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: list[bytes]) -> None:
        while data := await reader.read(65536):
            kept.append(data)
            writer.write(data)
            await writer.drain()
        writer.close()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = server.endpoints.http.split(":")
        up_reader, up_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pump(reader, up_writer, seen), pump(up_reader, writer, []), return_exceptions=True)

    listener = await asyncio.start_server(pass_on, "127.0.0.1", 0, ssl=context)
    async with listener:
        yield f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}"


def server_context(authority: Authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.server, authority.server_key)
    context.load_verify_locations(authority.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


async def ask(url: str, tls: Tls) -> list[list[float]]:
    transport = connect(url, tls=tls, timeout_s=10.0)
    try:
        answer: list[list[float]] = (await transport.infer("plus_one", ONE))["y"].tolist()
        return answer
    finally:
        await transport.close()


@pytest.mark.asyncio
async def test_grpc_speaks_tls_with_our_own_authority_and_certificate(
    mutual: TritonServer, authority: Authority
) -> None:
    url = f"grpcs://{mutual.endpoints.grpc}"
    assert await ask(url, Tls(authority.ca, authority.client, authority.client_key)) == [[2, 2]]
    for stranger in (Tls(authority.ca), Tls(cert=authority.client, key=authority.client_key)):
        with pytest.raises(ServerUnreachable):
            await ask(url, stranger)
    with pytest.raises(ServerUnreachable):
        await ask(f"grpc://{mutual.endpoints.grpc}", Tls())


@pytest.mark.asyncio
async def test_http_speaks_tls_with_our_own_authority_and_certificate(
    mutual: TritonServer, authority: Authority
) -> None:
    async with gateway(mutual, server_context(authority), []) as url:
        assert await ask(url, Tls(authority.ca, authority.client, authority.client_key)) == [[2, 2]]
        with pytest.raises(ServerUnreachable) as caught:
            await ask(url, Tls())
        assert not caught.value.passing


@pytest.mark.asyncio
async def test_headers_arrive_and_are_never_told(
    mutual: TritonServer,
    authority: Authority,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("CALLSCOPE_HEADERS", f"Authorization: {SECRET}\nX-Team: calls")
    files = {"tls_ca": authority.ca, "tls_cert": authority.client, "tls_key": authority.client_key}
    settings = load_settings(files).settings
    seen: list[bytes] = []
    told = [repr(settings), str(settings.model_dump()), settings.model_dump_json()]
    async with gateway(mutual, server_context(authority), seen) as url:
        for servers in (f"{url},grpcs://{mutual.endpoints.grpc}", url, "https://127.0.0.1:9", "grpc://127.0.0.1:9"):
            transport = open_transport(servers, settings)
            for model in ("plus_one", "absent"):
                try:
                    await transport.infer(model, ONE)
                except CallscopeError as error:
                    told += [str(error), repr(error), repr(error.__dict__)]
            told.append(repr(transport))
            await transport.close()
    sent = b"".join(seen).decode("latin-1")
    assert f"Authorization: {SECRET}" in sent
    assert "X-Team: calls" in sent
    captured = capfd.readouterr()
    for text in (*told, caplog.text, captured.out, captured.err):
        assert "s3cr3t" not in text


@pytest.mark.asyncio
async def test_models_and_doctor_use_the_certificates_and_headers_for_each_server(
    mutual: TritonServer, authority: Authority
) -> None:
    files = {"tls_ca": authority.ca, "tls_cert": authority.client, "tls_key": authority.client_key}
    settings = load_settings({**files, "headers": f"Authorization: {SECRET}"}).settings
    seen: list[bytes] = []
    async with gateway(mutual, server_context(authority), seen) as url:
        servers = (f"grpcs://{mutual.endpoints.grpc}", url)
        found = await describe(",".join(servers), settings)
        findings = [await asyncio.to_thread(check_server, server, settings) for server in servers]
        stranger = await asyncio.to_thread(check_server, url, load_settings({}).settings)
    assert {(model.server, model.state) for model in found} == {(server, "READY") for server in servers}
    assert [finding.ok for finding in (*findings, stranger)] == [True, True, False]
    assert b"".join(seen).decode("latin-1").count(f"Authorization: {SECRET}") > len(found)


def test_callscope_config_shows_stars_for_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLSCOPE_HEADERS", f"Authorization: {SECRET}")
    monkeypatch.setenv("CALLSCOPE_DEBUG", "")  # --debug sets it for the whole process
    shown = CliRunner().invoke(app, ["config", "--json"])
    assert json.loads(shown.stdout)["headers"] == {"value": "**********", "source": "environment"}
    for arguments in (["config"], ["config", "--debug"], ["config", f"--headers=Authorization: {SECRET}"]):
        result = CliRunner().invoke(app, ["--debug", *arguments[:1], *arguments[2:]])
        assert result.exit_code == 0
        assert "s3cr3t" not in result.output


@pytest.mark.parametrize("headers", ["s3cr3t", "Bad name: s3cr3t", "X: s3cr3t\x07", "X: s3cr3t\nY s3cr3t", ": s3cr3t"])
def test_headers_of_another_form_are_refused_without_repeating_them(headers: str) -> None:
    with pytest.raises(SettingsInvalid, match="NAME: VALUE") as caught:
        load_settings({"headers": headers})
    assert "s3cr3t" not in str(caught.value)
    assert "s3cr3t" not in str(caught.value.__cause__)


def test_files_that_make_no_sense_are_refused_by_their_flag(authority: Authority, tmp_path: Path) -> None:
    url = "grpcs://127.0.0.1:9"
    with pytest.raises(SettingsInvalid, match="--tls-cert is given without --tls-key"):
        connect_all(url, tls=Tls(cert=authority.client))
    with pytest.raises(SettingsInvalid, match=r"absent\.pem cannot be read\. Correct --tls-ca"):
        connect_all(url, tls=Tls(ca=tmp_path / "absent.pem"))
    (tmp_path / "no.pem").write_text("no certificate")
    with pytest.raises(SettingsInvalid, match="--tls-ca"):
        Tls(ca=tmp_path / "no.pem").context()
    connect_all("grpc://127.0.0.1:9", tls=Tls(ca=tmp_path / "absent.pem"))  # no TLS: no files


@pytest.mark.parametrize("servers", ["", " , ", "grpc://a:1,b", "grpc://a:1;grpc://b:2"])
def test_a_list_with_no_address_or_a_wrong_one_is_refused(servers: str) -> None:
    with pytest.raises(SettingsInvalid, match="grpc://HOST:PORT"):
        connect_all(servers)
    if servers:
        with pytest.raises(SettingsInvalid, match="grpc://HOST:PORT"):
            load_settings({"server": servers})
