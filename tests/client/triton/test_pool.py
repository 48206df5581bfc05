"""Several real servers as one: shared work, one that is killed and comes back, full queues, mixtures."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from callscope.errors import ModelMissing, ServersDiffer, ServerTimeout, ServerUnreachable
from callscope.triton.attempts import counted
from callscope.triton.breaker import State
from callscope.triton.deadline import deadline
from callscope.triton.retrying import RetryingTransport

from .running import count, pool, port, save_models

if TYPE_CHECKING:
    from callscope_server.environment import Environment
    from callscope_server.launcher import TritonServer

pytestmark = pytest.mark.asyncio
ONE = {"x": np.ones((1, 2), np.float32)}
SUCCESSES = "nv_inference_request_success"
QUEUE = 4


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_models(tmp_path_factory.mktemp("models"), QUEUE)


@contextmanager
def serving(models: Path, environment: Environment, at: TritonServer | None = None) -> Iterator[TritonServer]:
    """A server, on the ports of another that is gone if one is given."""
    from callscope_server.launcher import TritonServer  # noqa: PLC0415  most tests need no server

    names = ("http", "grpc", "metrics")
    ports = {f"{name}_port": port(getattr(at.endpoints, name)) for name in names} if at else {}
    with TritonServer(models, environment=environment, **ports) as server:
        yield server


@pytest.fixture(scope="module")
def first(models: Path, server_environment: Environment) -> Iterator[TritonServer]:
    with serving(models, server_environment) as server:
        yield server


def url_of(server: TritonServer, scheme: str = "grpc") -> str:
    return f"{scheme}://{getattr(server.endpoints, scheme)}"


def rounds(number: int) -> dict[str, np.ndarray]:
    return {"x": np.full((1, 1), number, np.float32)}


class Load:
    """Requests one after the other from several senders, until it is stopped."""

    def __init__(self, transport: RetryingTransport, senders: int) -> None:
        self.transport, self.done, self.running = transport, 0, True
        self.tasks = [asyncio.create_task(self.send()) for _ in range(senders)]

    async def send(self) -> None:
        while self.running:
            answer = await self.transport.infer("plus_one", ONE)
            assert answer["y"].tolist() == [[2, 2]]
            self.done += 1
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Raises what any sender failed with."""
        self.running = False
        await asyncio.gather(*self.tasks)


async def until(condition: object, seconds: float) -> float:
    began = time.monotonic()
    while not condition():  # type: ignore[operator]
        assert time.monotonic() - began < seconds
        await asyncio.sleep(0.05)
    return time.monotonic() - began


async def runs(server: TritonServer) -> int:
    """How often `slow` has run, once the figure rests: Triton counts a run a moment after it has answered."""
    last, seen = -1, count(server, "nv_inference_exec_count", "slow")
    while last != seen:
        await asyncio.sleep(0.3)
        last, seen = seen, count(server, "nv_inference_exec_count", "slow")
    return seen


@pytest.mark.parametrize("scheme", ["grpc", "http"])
async def test_no_request_fails_when_a_server_is_killed_and_it_gets_work_again_when_it_is_back(
    models: Path, server_environment: Environment, first: TritonServer, scheme: str
) -> None:
    with serving(models, server_environment) as second:
        transport, inner = pool(url_of(first, scheme), url_of(second, scheme))
        load = Load(transport, 8)
        await until(lambda: load.done > 200, 30)
        shares = [count(server, SUCCESSES, "plus_one") for server in (first, second)]
        assert min(shares) > 0
        before = count(first, SUCCESSES, "plus_one")
        os.kill(second.pid, signal.SIGKILL)
        await asyncio.sleep(0.3)
        done = load.done
        await until(lambda: load.done > done + 50, 5)
        assert count(first, SUCCESSES, "plus_one") > before + 50
        assert inner.endpoints[1].breaker.state is not State.CLOSED
        assert inner.endpoints[0].breaker.state is State.CLOSED
    started = serving(models, server_environment, at=second)
    third = await asyncio.to_thread(started.__enter__)
    try:
        await until(lambda: count(third, SUCCESSES, "plus_one") > 20, 15)
        await load.stop()
        await transport.close()
    finally:
        await asyncio.to_thread(started.__exit__, None, None, None)


async def test_a_server_that_hangs_gives_up_its_requests_to_the_others(
    models: Path, server_environment: Environment, first: TritonServer
) -> None:
    with serving(models, server_environment) as second:
        transport, inner = pool(url_of(first), url_of(second), probe_s=0.1)
        load = Load(transport, 4)
        await until(lambda: load.done > 20, 10)
        os.kill(second.pid, signal.SIGSTOP)
        try:
            await until(lambda: inner.endpoints[1].breaker.state is State.OPEN, 15)
            await load.stop()
        finally:
            os.kill(second.pid, signal.SIGCONT)
        await transport.close()


async def test_work_goes_where_least_is_waiting(
    first: TritonServer, models: Path, server_environment: Environment
) -> None:
    with serving(models, server_environment) as second:
        transport, inner = pool(url_of(first), url_of(second))
        await transport.infer("slow", rounds(1))
        sent = [asyncio.create_task(transport.infer("slow", rounds(200))) for _ in range(4)]
        await asyncio.sleep(0.02)
        assert [endpoint.limit.outstanding for endpoint in inner.endpoints] == [2, 2]
        await asyncio.gather(*sent)
        assert [endpoint.limit.outstanding for endpoint in inner.endpoints] == [0, 0]
        await transport.close()


async def test_ten_times_what_the_queue_takes_is_waited_for(first: TritonServer) -> None:
    transport, inner = pool(url_of(first))
    limit = inner.endpoints[0].limit
    senders, highest = 10 * QUEUE, []

    async def send() -> None:
        for _ in range(5):
            await transport.infer("slow", rounds(1))
            highest.append(limit.limit)

    with counted() as tally:
        await asyncio.gather(*(send() for _ in range(senders)))
    assert (tally.requests, len(highest)) == (5 * senders, 5 * senders)
    assert tally.attempts > tally.requests
    assert max(highest[-senders:]) <= 4 * QUEUE
    await transport.close()


async def test_who_waits_for_room_is_told_when_the_deadline_comes(first: TritonServer) -> None:
    transport, inner = pool(url_of(first))
    await transport.infer("slow", rounds(1))
    limit = inner.endpoints[0].limit
    taken = [limit.begin() for _ in range(limit.limit)]
    with deadline(0.2), pytest.raises(ServerTimeout, match="slow"):
        await transport.infer("slow", rounds(1))
    waiting = asyncio.create_task(transport.infer("slow", rounds(1)))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    for _ in taken:
        limit.end()
    assert (await transport.infer("slow", rounds(1)))["y"].shape == (1, 1)
    await transport.close()


async def test_servers_with_different_models_are_refused_in_one_sentence(
    first: TritonServer, tmp_path: Path, server_environment: Environment
) -> None:
    other = save_models(tmp_path / "other", QUEUE, source="another")
    with serving(other, server_environment) as second:
        transport, _ = pool(url_of(first), url_of(second))
        with pytest.raises(ServersDiffer) as caught:
            await transport.infer("plus_one", ONE)
        assert str(caught.value) == (
            f"The servers do not serve the same plus_one: {url_of(first)} serves version 1 (one), {url_of(second)} "
            "serves version 1 (another). Give them the same model repository, or name only those in --server that "
            "have it."
        )
        assert (await transport.infer("slow", rounds(1)))["y"].shape == (1, 1)
        with pytest.raises(ModelMissing):
            await transport.parameters("absent")
        await transport.close()


async def test_a_server_that_comes_back_with_other_models_stays_out(
    models: Path, tmp_path: Path, first: TritonServer, server_environment: Environment, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(models, server_environment) as second:
        transport, inner = pool(url_of(first), url_of(second), probe_s=0.1)
        await transport.infer("plus_one", ONE)
    for _ in range(6):
        assert (await transport.infer("plus_one", ONE))["y"].tolist() == [[2, 2]]
    other = save_models(tmp_path / "other", QUEUE, source="another")
    started = serving(other, server_environment, at=second)
    third = await asyncio.to_thread(started.__enter__)
    try:
        await until(lambda: inner.endpoints[1].differs, 15)
        for _ in range(10):
            await transport.infer("plus_one", ONE)
        assert count(third, SUCCESSES, "plus_one") == 0
        assert "left out" in caplog.text
    finally:
        await asyncio.to_thread(started.__exit__, None, None, None)
    await transport.close()


async def test_one_server_away_from_the_start_is_no_matter_and_all_of_them_are(first: TritonServer) -> None:
    transport, _ = pool("grpc://127.0.0.1:9", url_of(first))
    assert (await transport.infer("plus_one", ONE))["y"].tolist() == [[2, 2]]
    await transport.close()
    nowhere, _ = pool("grpc://127.0.0.1:9", "http://127.0.0.1:9")
    with pytest.raises(ServerUnreachable, match=r"grpc://127\.0\.0\.1:9,http://127\.0\.0\.1:9"):
        await nowhere.infer("plus_one", ONE)
    await nowhere.close()


async def test_a_single_server_that_restarts_loses_no_request(models: Path, server_environment: Environment) -> None:
    with serving(models, server_environment) as server:
        transport, _ = pool(url_of(server), probe_s=0.1)
        await transport.infer("plus_one", ONE)
    pending = asyncio.create_task(transport.infer("plus_one", ONE))
    started = serving(models, server_environment, at=server)
    await asyncio.to_thread(started.__enter__)
    try:
        assert (await pending)["y"].tolist() == [[2, 2]]
    finally:
        await transport.close()
        await asyncio.to_thread(started.__exit__, None, None, None)


async def test_a_cancelled_request_leaves_the_servers_queue(first: TritonServer) -> None:
    transport, _ = pool(url_of(first))
    await transport.infer("slow", rounds(1))
    before = await runs(first)
    running = asyncio.create_task(transport.infer("slow", rounds(300)))
    await asyncio.sleep(0.05)
    queued = [asyncio.create_task(transport.infer("slow", rounds(300))) for _ in range(QUEUE)]
    await until(lambda: count(first, "nv_inference_pending_request_count", "slow") == QUEUE, 5)
    for task in queued:
        task.cancel()
    await asyncio.gather(*queued, return_exceptions=True)
    await running
    await until(lambda: count(first, "nv_inference_pending_request_count", "slow") == 0, 5)
    await transport.infer("slow", rounds(1))
    assert await runs(first) == before + 2
    assert count(first, "nv_inference_request_failure", "slow", reason="CANCELED") == QUEUE
    await transport.close()


async def test_triton_drops_what_waited_past_the_deadline_of_its_request(first: TritonServer) -> None:
    transport, _ = pool(url_of(first, "http"))
    await transport.infer("slow", rounds(1))
    before = await runs(first)
    running = asyncio.create_task(transport.infer("slow", rounds(400)))
    await asyncio.sleep(0.05)
    late = [transport.infer("slow", rounds(1), timeout_s=0.1) for _ in range(QUEUE - 1)]
    failures = await asyncio.gather(*late, return_exceptions=True)
    assert [type(failure) for failure in failures] == [ServerTimeout] * (QUEUE - 1)
    await running
    await until(lambda: count(first, "nv_inference_pending_request_count", "slow") == 0, 10)
    await transport.infer("slow", rounds(1))
    assert await runs(first) == before + 2
    await transport.close()


async def test_a_deadline_that_is_over_says_nothing_against_the_servers(
    first: TritonServer, models: Path, server_environment: Environment
) -> None:
    with serving(models, server_environment) as second:
        transport, inner = pool(url_of(first), url_of(second))
        with deadline(0.0), pytest.raises(ServerTimeout):
            await transport.infer("plus_one", ONE)
        assert [endpoint.breaker.state for endpoint in inner.endpoints] == [State.CLOSED, State.CLOSED]
        assert (await transport.infer("plus_one", ONE))["y"].tolist() == [[2, 2]]
        await transport.close()
