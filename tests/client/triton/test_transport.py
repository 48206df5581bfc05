"""Both transports against a real tritonserver."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest
import pytest_asyncio

from callscope.errors import (
    ModelMissing,
    RequestFailed,
    ServerBusy,
    ServerTimeout,
    ServerUnreachable,
    SettingsInvalid,
)
from callscope.triton.tokenizer import fetch_tokenizer
from callscope.triton.transcriber import Transcriber
from callscope.triton.transport import Transport, connect
from callscope_preprocessing.chunk import Chunk, whole
from callscope_preprocessing.track import track_of

if TYPE_CHECKING:
    from callscope_server.launcher import TritonServer

pytestmark = pytest.mark.asyncio
SCHEMES = ("grpc", "http")


def url_of(server: TritonServer, scheme: str) -> str:
    return f"{scheme}://{getattr(server.endpoints, scheme)}"


@pytest_asyncio.fixture(params=SCHEMES)
async def transport(request: pytest.FixtureRequest, small_triton: TritonServer) -> AsyncIterator[Transport]:
    opened = connect(url_of(small_triton, request.param), timeout_s=30.0)
    yield opened
    await opened.close()


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port where connections are taken and nothing is ever said."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def chunk_saying(text: str) -> Chunk:
    tokens = [*text.encode(), 256]
    audio = np.full(64_000, 256, np.int16)
    audio[: len(tokens)] = tokens
    return whole(track_of(audio, 16_000))


async def test_grpc_and_http_give_identical_results(small_triton: TritonServer) -> None:
    rng = np.random.default_rng(7)
    inputs = {
        "audio": rng.integers(-32768, 32767, (3, 64_000), np.int16),
        "language": np.array([[-1], [301], [302]], np.int32),
        "task": np.full((3, 1), -1, np.int32),
        "max_tokens": np.full((3, 1), 64, np.int32),
        "temperature": np.zeros((3, 1), np.float32),
    }
    answers, parameters, models, versions = [], [], [], []
    for scheme in SCHEMES:
        opened = connect(url_of(small_triton, scheme))
        answers.append(await opened.infer("transcribe", inputs))
        parameters.append(await opened.parameters("transcribe"))
        models.append(await opened.models())
        versions.append([await opened.version(model) for model in ("transcribe", "echo")])
        await opened.close()
    assert set(answers[0]) == set(answers[1]) == {
        "tokens", "logprobs", "chosen_language", "language_probability", "no_speech_probability",
    }  # fmt: skip
    for name, tensor in answers[0].items():
        assert tensor.dtype == answers[1][name].dtype
        assert np.array_equal(tensor, answers[1][name])
    assert np.array_equal(answers[0]["tokens"], inputs["audio"][:, :64])
    assert answers[0]["chosen_language"].tolist() == [[300], [301], [302]]
    assert parameters[0] == parameters[1]
    assert models[0] == models[1]
    assert versions[0] == versions[1] == ["1", "2"]
    assert [(model.name, model.state) for model in models[0]] == [
        (name, "READY") for name in ("echo", "echo", "sleeper", "transcribe", "whisper_tokenizer")
    ]


async def test_a_chunk_becomes_text_with_nothing_known_but_the_address(transport: Transport) -> None:
    transcriber = await Transcriber.from_server(transport)
    alphabet = transcriber.model.tokenizer.encode("hello 네").ids
    audio = chunk_saying("").audio()
    audio[: len(alphabet)] = alphabet
    transcript = await transcriber.transcribe(whole(track_of(audio, 16_000)), None)
    assert (transcript.text, transcript.language) == ("hello 네", "en")
    assert transcript.tokens == tuple(alphabet)


async def test_the_tokenizer_comes_through_the_server_unharmed(transport: Transport, tokenizer_json: bytes) -> None:
    tokenizer = await fetch_tokenizer(transport, "whisper_tokenizer")
    assert tokenizer.encode("アカウント").ids == type(tokenizer).from_buffer(tokenizer_json).encode("アカウント").ids


async def test_messages_of_many_megabytes_pass_both_ways(transport: Transport) -> None:
    numbers = np.arange(6_000_000, dtype=np.float32)
    answer = await transport.infer("echo", {"x": numbers})
    assert np.array_equal(answer["y"], numbers)


async def test_only_the_outputs_asked_for_arrive(transport: Transport) -> None:
    inputs = {
        "audio": chunk_saying("x").audio()[np.newaxis],
        "language": np.array([[-1]], np.int32),
        "task": np.array([[-1]], np.int32),
        "max_tokens": np.array([[9]], np.int32),
        "temperature": np.array([[0]], np.float32),
    }
    assert set(await transport.infer("transcribe", inputs, outputs=["tokens"])) == {"tokens"}


async def test_a_missing_model_is_named_with_those_that_are_served(transport: Transport) -> None:
    served = "serves echo, sleeper, transcribe, whisper_tokenizer but not punctuate"
    with pytest.raises(ModelMissing, match=served) as infer:
        await transport.infer("punctuate", {"input_ids": np.zeros((1, 16), np.int64)})
    with pytest.raises(ModelMissing, match=served) as parameters:
        await transport.parameters("punctuate")
    with pytest.raises(ModelMissing, match=served):
        await transport.version("punctuate")
    assert transport.url in str(infer.value)
    assert str(infer.value) == str(parameters.value)
    assert infer.value.exit_code == 5


async def test_a_request_the_model_refuses_says_which_and_why(transport: Transport) -> None:
    with pytest.raises(RequestFailed, match=r"transcribe at .* failed: .*audio") as caught:
        await transport.infer("transcribe", {"audio": np.zeros((1, 5), np.int16)})
    assert caught.value.exit_code == 5


async def test_a_full_queue_is_busy_and_not_an_end(transport: Transport) -> None:
    rounds = np.array([[20_000]], np.int64)
    results = await asyncio.gather(
        *(transport.infer("sleeper", {"rounds": rounds}) for _ in range(8)), return_exceptions=True
    )
    busy = [result for result in results if isinstance(result, ServerBusy)]
    done = [result for result in results if isinstance(result, dict)]
    assert len(busy) + len(done) == 8
    assert busy
    assert done
    assert "sleeper" in str(busy[0])
    assert busy[0].exit_code == 4
    assert (await transport.infer("sleeper", {"rounds": np.array([[1]], np.int64)}))["done"] == [[1.0]]


async def test_a_deadline_ends_a_request_that_takes_too_long(transport: Transport) -> None:
    with pytest.raises(ServerTimeout, match=r"sleeper within 0\.05 s") as caught:
        await transport.infer("sleeper", {"rounds": np.array([[20_000]], np.int64)}, timeout_s=0.05)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_headers_do_not_disturb_a_request(small_triton: TritonServer, scheme: str) -> None:
    opened = connect(url_of(small_triton, scheme), headers={"Authorization": "Bearer token"})
    assert (await opened.infer("echo", {"x": np.ones(3, np.float32)}))["y"].tolist() == [1, 1, 1]
    await opened.close()


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_an_address_where_nobody_listens_is_unreachable(scheme: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"{scheme}://127.0.0.1:{unused.getsockname()[1]}"
        opened = connect(url)
        for question in (opened.parameters("transcribe"), opened.models(), opened.infer("echo", {})):
            with pytest.raises(ServerUnreachable, match=url) as caught:
                await question
            assert caught.value.exit_code == 4
        await opened.close()


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_port_that_never_answers_runs_into_the_deadline(scheme: str) -> None:
    with deaf_port() as port:
        opened = connect(f"{scheme}://127.0.0.1:{port}", timeout_s=0.2)
        with pytest.raises(ServerTimeout, match=r"within 0\.2 s"):
            await opened.parameters("transcribe")
        await opened.close()


@pytest.mark.parametrize(("scheme", "port_of"), [("grpc", "http"), ("http", "grpc"), ("http", "metrics")])
async def test_a_port_of_another_protocol_is_unreachable(small_triton: TritonServer, scheme: str, port_of: str) -> None:
    opened = connect(f"{scheme}://{getattr(small_triton.endpoints, port_of)}", timeout_s=5.0)
    with pytest.raises(ServerUnreachable):
        await opened.parameters("transcribe")
    await opened.close()


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8001", "ftp://host:1", "grpc://", "grpc://host", "http://host:port", "http://:1", ""]
)
async def test_an_address_of_another_form_is_refused_with_the_right_form(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="grpc://HOST:PORT") as caught:
        connect(url)
    assert caught.value.exit_code == 2


async def test_closing_twice_or_before_use_does_nothing(small_triton: TritonServer) -> None:
    for scheme in SCHEMES:
        opened = connect(url_of(small_triton, scheme))
        await opened.close()
        await opened.close()


async def test_a_gateways_503_is_busy_and_its_other_pages_are_not_triton() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        status = b"503 Busy" if b"busy" in request else b"404 Not Found"
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>")
        await writer.drain()
        writer.close()

    gateway = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with gateway:
        opened = connect(f"http://127.0.0.1:{gateway.sockets[0].getsockname()[1]}", timeout_s=5.0)
        with pytest.raises(ServerBusy):
            await opened.parameters("busy")
        with pytest.raises(ServerUnreachable, match="HTTP status 404"):
            await opened.parameters("transcribe")
        await opened.close()
