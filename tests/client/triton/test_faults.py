"""Requests that failed by the server's fault: tried again, at another server where there is one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest

from callscope.errors import RequestFailed
from callscope.triton.endpoint import Endpoint
from callscope.triton.fake import FakeTransport
from callscope.triton.pool import PoolTransport
from callscope.triton.retrying import Policy, RetryingTransport

from .running import pool, save_models

if TYPE_CHECKING:
    from callscope_server.environment import Environment

pytestmark = pytest.mark.asyncio
ONE = {"x": np.ones((1, 2), np.float32)}
OK = {"y": np.ones(1, np.float32)}
GPU_GONE = RequestFailed("fake://one", "echo", "CUDA failure 999: unknown error", passing=True)
OTHER_SHAPE = RequestFailed("fake://one", "echo", "unexpected shape for input 'x'")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_models(tmp_path_factory.mktemp("models"))


def kill_stubs(server_id: int) -> int:
    """End the processes in which the models run; Triton itself goes on."""
    stubs = [one for one in psutil.Process(server_id).children(recursive=True) if "stub" in one.name()]
    for stub in stubs:
        stub.kill()
    psutil.wait_procs(stubs, timeout=10)
    return len(stubs)


@pytest.mark.parametrize("scheme", ["grpc", "http"])
async def test_a_server_whose_model_was_killed_is_left_for_another(
    models: Path, server_environment: Environment, scheme: str
) -> None:
    from callscope_server.launcher import TritonServer  # noqa: PLC0415  most tests need no server

    with (
        TritonServer(models, environment=server_environment) as one,
        TritonServer(models, environment=server_environment) as other,
    ):
        transport, _ = pool(*(f"{scheme}://{getattr(server.endpoints, scheme)}" for server in (one, other)))
        try:
            await transport.infer("plus_one", ONE)
            assert kill_stubs(one.pid) >= 1
            answers = await asyncio.gather(*(transport.infer("plus_one", ONE) for _ in range(40)))
        finally:
            await transport.close()
    assert {answer["y"].tobytes() for answer in answers} == {np.full((1, 2), 2, np.float32).tobytes()}


def two(*first: object) -> tuple[RetryingTransport, FakeTransport, FakeTransport]:
    """A transport over two servers of which the first answers as told."""
    one, other = FakeTransport({"echo": list(first)}), FakeTransport({"echo": [OK] * 9})
    return RetryingTransport(PoolTransport([Endpoint(one), Endpoint(other)])), one, other


async def test_another_server_answers_for_one_whose_gpu_is_gone_and_keeps_the_model() -> None:
    transport, one, other = two(GPU_GONE, OK, OK)
    for _ in range(3):
        assert await transport.infer("echo", ONE) == OK
    assert (len(one.requests), len(other.requests)) == (1, 3)


async def test_a_fault_everywhere_is_the_error_after_some_attempts() -> None:
    fake = FakeTransport({"echo": [GPU_GONE] * 9})
    transport = RetryingTransport(PoolTransport([Endpoint(fake)]), Policy(fault_attempts=3, pause_s=0.001))
    with pytest.raises(RequestFailed) as caught:
        await transport.infer("echo", ONE)
    assert caught.value is GPU_GONE
    assert len(fake.requests) == 3


async def test_a_fault_of_the_request_is_no_other_servers_business() -> None:
    transport, one, other = two(OTHER_SHAPE, OK)
    with pytest.raises(RequestFailed) as caught:
        await transport.infer("echo", ONE)
    assert caught.value is OTHER_SHAPE
    assert (len(one.requests), len(other.requests)) == (1, 0)
