"""A server that answers anything, over HTTP and gRPC: an answer or one of our errors, soon, and in little memory."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent import futures
from contextlib import suppress
from functools import partial
from typing import Any

import grpc
import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.client.triton.test_hostile_answers import ONCE, ONE, answers, page, tensor
from tritonclient.grpc import service_pb2

from callscope.errors import TritonError
from callscope.triton.answers import MAX_ANSWER_BYTES
from callscope.triton.resilient import connect_all
from callscope.triton.transport import Transport

from .amount import examples

TIMEOUT_S = 1.0
HANGS_S = 20.0
MOST_GROWTH_BYTES = 256 << 20
TERABYTE = 1 << 40

Said = dict[str, bytes]

shapes = st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 5) | st.just(TERABYTE), max_size=4)
kinds = st.sampled_from(["FP32", "INT32", "INT64", "BYTES", "BOOL", "FP16", "BF16", "XYZ", ""])
outputs = st.builds(
    service_pb2.ModelInferResponse.InferOutputTensor,
    name=st.sampled_from(["y", "x", "", "z"]),
    datatype=kinds,
    shape=shapes,
)
replies = st.builds(
    service_pb2.ModelInferResponse,
    model_name=st.text(max_size=5),
    outputs=st.lists(outputs, max_size=3),
    raw_output_contents=st.lists(st.binary(max_size=40), max_size=3),
).map(lambda reply: bytes(reply.SerializeToString()))
longer = st.sampled_from(
    [
        page(b"{}", length=TERABYTE),
        page(b"{}", length=2**64),
        page(b"[" * 100_000 + b"]" * 100_000),
        page(b'{"outputs": ' * 50_000),
        page(b'{"outputs": []}', head=TERABYTE),
        tensor([TERABYTE], b"\0" * 8),
        tensor([TERABYTE, TERABYTE, TERABYTE], b"\0" * 8, size=TERABYTE),
        tensor([1, 2], b"\0" * 8, "BYTES", 8),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFF\r\n{}",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000 + b"\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\0\0",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\nContent-Length: 5\r\n\r\nabcde",
    ]
)


@pytest.fixture(scope="module")
def http() -> Iterator[tuple[str, Said]]:
    """A server that says over HTTP whatever it is told to, and hangs up."""
    said: Said = {"answer": b""}
    loop = asyncio.new_event_loop()

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(65536)
            writer.write(said["answer"])
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = loop.run_until_complete(asyncio.start_server(say, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", said
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


class Anything(grpc.GenericRpcHandler):
    """Answers each call of each method with the bytes that it is told."""

    def __init__(self, said: Said) -> None:
        self._said = said

    def service(self, _: Any) -> Any:
        """The same for all."""
        return grpc.unary_unary_rpc_method_handler(lambda _request, _context: self._said["answer"])


@pytest.fixture(scope="module")
def speaks_grpc() -> Iterator[tuple[str, Said]]:
    """The same over gRPC, as messages."""
    said: Said = {"answer": b""}
    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((Anything(said),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"grpc://127.0.0.1:{port}", said
    server.stop(None).wait()


async def ask_all(url: str) -> None:
    """Ask in every way; anything but an answer or one of our errors fails, and so do a hang and much memory."""
    transport = connect_all(url, timeout_s=TIMEOUT_S, policy=ONCE)
    before = psutil.Process().memory_info().rss
    try:
        for question in questions(transport):
            began = time.monotonic()
            try:
                await asyncio.wait_for(question(), HANGS_S)
            except TritonError as error:
                assert error.exit_code in {4, 5}
                assert str(error).count(". ") >= 1
            assert time.monotonic() - began < HANGS_S
    finally:
        await transport.close()
    assert psutil.Process().memory_info().rss - before < MOST_GROWTH_BYTES


def questions(transport: Transport) -> tuple[Callable[[], Awaitable[object]], ...]:
    """All that a server is asked."""
    return (
        partial(transport.infer, "m", ONE, outputs=["y"]),
        partial(transport.infer, "m", {"x": np.array([[b"abc"]], np.object_)}),
        partial(transport.parameters, "m"),
        partial(transport.version, "m"),
        transport.models,
    )


@examples(2000)
@given(answer=answers | longer | st.builds(lambda body, at: body[:at], answers, st.integers(0, 200)))
def test_over_http(http: tuple[str, Said], answer: bytes) -> None:
    url, said = http
    said["answer"] = answer
    asyncio.run(ask_all(url))


@examples(2000)
@given(answer=replies | st.binary(max_size=100) | st.builds(lambda body, at: body[:at], replies, st.integers(0, 60)))
def test_over_grpc(speaks_grpc: tuple[str, Said], answer: bytes) -> None:
    url, said = speaks_grpc
    said["answer"] = answer
    asyncio.run(ask_all(url))


@pytest.mark.parametrize("pause_s", [0.05, 0.4])
def test_an_answer_that_drips_or_never_ends_runs_into_the_deadline(pause_s: float) -> None:
    writers: list[asyncio.StreamWriter] = []

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.read(65536)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b"1\r\n{\r\n")
                await writer.drain()
                await asyncio.sleep(pause_s)

    async def ask() -> None:
        server = await asyncio.start_server(drip, "127.0.0.1", 0)
        async with server:
            await ask_all(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            for writer in writers:
                writer.close()
            await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)
            await asyncio.sleep(2 * pause_s)

    asyncio.run(asyncio.wait_for(ask(), 60))


def test_a_body_without_end_is_cut_off_long_before_memory_is_full() -> None:
    sent, ended = 0, asyncio.Event()

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.read(65536)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        with suppress(ConnectionError):
            while True:
                writer.write(b"0" * (1 << 20))
                await writer.drain()
                sent += 1 << 20
        writer.close()
        ended.set()

    async def ask() -> None:
        server = await asyncio.start_server(pour, "127.0.0.1", 0)
        async with server:
            transport = connect_all(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", timeout_s=60, policy=ONCE)
            with pytest.raises(TritonError, match="more than"):
                await transport.infer("m", ONE)
            await transport.close()
            await ended.wait()

    asyncio.run(asyncio.wait_for(ask(), 60))
    assert MAX_ANSWER_BYTES <= sent < 2 * MAX_ANSWER_BYTES
