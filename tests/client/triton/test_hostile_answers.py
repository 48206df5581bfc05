"""Whatever answers at an address: one of our errors, and before the deadline."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from callscope.errors import RequestFailed, ServerTimeout, ServerUnreachable, TritonError
from callscope.triton.resilient import connect_all
from callscope.triton.retrying import Policy
from callscope.triton.transport import connect

LIMIT_S = 1.0
ONE = {"x": np.ones((1, 2), np.float32)}
ONCE = Policy(attempts=1, first_attempts=1, patience_s=0.0)


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """The host and port of a server that says this to whatever it is asked, and hangs up."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(65536)
            writer.write(answer)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def page(body: bytes, *, length: int | None = None, head: int | None = None, status: str = "200 OK") -> bytes:
    """An answer of Triton's form over HTTP."""
    size = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {size}", "Connection: close"]
    if head is not None:
        lines.append(f"Inference-Header-Content-Length: {head}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def tensor(shape: object, data: bytes, kind: object = "FP32", size: object = None) -> bytes:
    """One output with its data behind the JSON."""
    output = {"name": "y", "datatype": kind, "shape": shape, "parameters": {"binary_data_size": size or len(data)}}
    head = json.dumps({"model_name": "m", "model_version": "1", "outputs": [output]}).encode()
    return page(head + data, head=len(head))


sizes = st.one_of(st.integers(-5, 100), st.integers(2**31, 2**63), st.none(), st.text(max_size=3))
names = st.sampled_from(["outputs", "name", "shape", "data", "datatype", "parameters", "versions", "error"])
values = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
)
statuses = st.sampled_from(["200 OK", "400 Bad Request", "500 Oh", "503 Busy", "204 None", "301 Moved"])
kinds = st.sampled_from(["FP32", "INT64", "BYTES", "BOOL", "XYZ", 5, None])
answers = st.one_of(
    st.binary(max_size=200),
    st.builds(page, st.binary(max_size=60), length=st.integers(0, 100), head=st.none() | st.integers(-3, 100)),
    st.builds(page, values.map(lambda value: json.dumps(value).encode()), status=statuses),
    st.builds(tensor, st.lists(sizes, max_size=3) | sizes, st.binary(max_size=32), kinds, sizes),
)


async def outcome(scheme: str, answer: bytes) -> None:
    """Ask in every way; anything but an answer or one of our errors fails, and so does a hang."""
    async with answering(answer) as address:
        transport = connect_all(f"{scheme}://{address}", timeout_s=LIMIT_S, policy=ONCE)
        questions = (
            partial(transport.infer, "m", ONE, outputs=["y"]),
            partial(transport.parameters, "m"),
            partial(transport.version, "m"),
            transport.models,
        )
        try:
            for question in questions:
                try:
                    await asyncio.wait_for(question(), 30)
                except TritonError as error:
                    assert str(error).count(". ") >= 1
        finally:
            await transport.close()


@settings(max_examples=150, deadline=None)
@given(answer=answers)
@example(answer=tensor([1, 2], b"\0" * 8, size=-1))
@example(answer=page(b"[]"))
@example(answer=page(b"{}"))
@example(answer=page(b'{"outputs": [{"name": "y"}]}'))
@example(answer=page(b'{"outputs": [{"name": "y", "datatype": "FP32", "shape": [9], "data": ["a"]}]}'))
@example(answer=page(b"x", head=50))
@example(answer=tensor(None, b"\0", "BYTES"))
@example(answer=page(b'{"error": []}', status="400 Bad Request"))
@example(answer=page(b'{"error": [5]}', status="400 Bad Request"))
def test_no_answer_over_http_is_more_than_one_of_our_errors(answer: bytes) -> None:
    asyncio.run(outcome("http", answer))


@settings(max_examples=15, deadline=None)
@given(answer=st.binary(max_size=100))
@example(answer=b"")
@example(answer=b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + b"\xff" * 40)
def test_no_answer_over_grpc_is_more_than_one_of_our_errors(answer: bytes) -> None:
    asyncio.run(outcome("grpc", answer))


@pytest.mark.asyncio
async def test_a_good_answer_passes_and_one_that_is_no_number_or_not_there_does_not() -> None:
    good = np.array([[1, 2]], np.float32).tobytes()
    async with answering(tensor([1, 2], good)) as address:
        transport = connect(f"http://{address}", timeout_s=LIMIT_S)
        assert (await transport.infer("m", ONE, outputs=["y"]))["y"].tolist() == [[1, 2]]
        with pytest.raises(RequestFailed, match="without z"):
            await transport.infer("m", ONE, outputs=["y", "z"])
        await transport.close()
    async with answering(tensor([1, 2], np.array([1, np.nan], np.float32).tobytes())) as address:
        transport = connect(f"http://{address}", timeout_s=LIMIT_S)
        with pytest.raises(RequestFailed, match=r"y holds values that are not numbers \(NaN\)"):
            await transport.infer("m", ONE)
        await transport.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("shape", [[1, 3], [3], [-1, 2], "12"])
async def test_data_of_another_length_than_its_shape_is_not_tritons(shape: object) -> None:
    async with answering(tensor(shape, np.ones(2, np.float32).tobytes())) as address:
        transport = connect(f"http://{address}", timeout_s=LIMIT_S)
        if shape == [-1, 2]:
            assert (await transport.infer("m", ONE))["y"].shape == (1, 2)
        else:
            with pytest.raises(ServerUnreachable, match="not Triton's"):
                await transport.infer("m", ONE)
        await transport.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("scheme", ["grpc", "http"])
async def test_half_an_answer_that_never_ends_runs_into_the_deadline(scheme: str) -> None:
    done, gone = asyncio.Event(), asyncio.Event()

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(page(b"{", length=1000) if scheme == "http" else b"")
        await done.wait()
        writer.close()
        gone.set()

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    async with server:
        transport = connect_all(f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}", timeout_s=0.3)
        with pytest.raises(ServerTimeout):
            await transport.infer("m", ONE)
        await transport.close()
        done.set()
        await asyncio.wait_for(gone.wait(), 10)


@pytest.mark.asyncio
async def test_a_cancelled_request_over_http_closes_its_connection() -> None:
    arrived, gone = asyncio.Event(), asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        arrived.set()
        while await reader.read(65536):
            pass
        writer.close()
        gone.set()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        transport = connect_all(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        request = asyncio.create_task(transport.infer("m", ONE))
        await asyncio.wait_for(arrived.wait(), 10)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        await asyncio.wait_for(gone.wait(), 10)
        await transport.close()
