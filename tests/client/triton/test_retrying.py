"""What is tried again, what is not, and how long."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import numpy as np
import pytest

from callscope.errors import (
    ContractMismatch,
    ModelMissing,
    RequestFailed,
    ServerBusy,
    ServerTimeout,
    ServerUnreachable,
    TritonError,
)
from callscope.triton.attempts import counted
from callscope.triton.deadline import deadline, left_s, within_s
from callscope.triton.fake import FakeTransport
from callscope.triton.retrying import Policy, RetryingTransport

pytestmark = pytest.mark.asyncio
URL = "grpc://server:1"
OK = {"y": np.ones(1, np.float32)}
QUICK = Policy(attempts=4, first_attempts=2, pause_s=0.001, longest_pause_s=0.004, busy_pause_s=0.001)
AWAY = ServerUnreachable(URL, "refused", passing=True)
BUSY = ServerBusy(URL, "echo", "full")


def transport(*answers: Any, policy: Policy = QUICK) -> tuple[RetryingTransport, FakeTransport]:
    fake = FakeTransport({"echo": list(answers)})
    return RetryingTransport(fake, policy), fake


@pytest.mark.parametrize(
    "error",
    [
        ServerUnreachable(URL, "another protocol"),
        ServerTimeout(URL, "echo", 1.0),
        RequestFailed(URL, "echo", "bad shape"),
        ModelMissing(URL, "echo", []),
        ContractMismatch(URL, "echo", "old"),
    ],
)
async def test_what_would_fail_again_is_not_tried_again(error: TritonError) -> None:
    retrying, fake = transport(error, OK)
    with pytest.raises(type(error)) as caught:
        await retrying.infer("echo", {})
    assert caught.value is error
    assert len(fake.requests) == 1


async def test_a_server_that_is_away_is_asked_so_often_and_no_more() -> None:
    retrying, fake = transport(OK, AWAY, AWAY, AWAY, OK, AWAY, AWAY, AWAY, AWAY, OK)
    await retrying.infer("echo", {})
    await retrying.infer("echo", {})
    assert len(fake.requests) == 5
    with pytest.raises(ServerUnreachable):
        await retrying.infer("echo", {})
    assert len(fake.requests) == 9


async def test_an_address_that_never_answered_is_given_up_sooner() -> None:
    retrying, fake = transport(AWAY, AWAY, OK)
    with pytest.raises(ServerUnreachable):
        await retrying.infer("echo", {})
    assert len(fake.requests) == 2


async def test_a_full_queue_is_waited_for_as_often_as_it_takes() -> None:
    policy = Policy(busy_pause_s=0.001, longest_busy_pause_s=0.002)
    retrying, fake = transport(*[BUSY] * 50, OK, policy=policy)
    assert (await retrying.infer("echo", {}))["y"] == [1]
    assert len(fake.requests) == 51


async def test_patience_ends_also_with_a_full_queue() -> None:
    retrying, fake = transport(
        *[BUSY] * 1000, policy=Policy(busy_pause_s=0.01, longest_busy_pause_s=0.01, patience_s=0.1)
    )
    with pytest.raises(ServerBusy):
        await retrying.infer("echo", {})
    assert 1 < len(fake.requests) <= 20


async def test_no_retry_outlives_the_deadline_of_the_work() -> None:
    retrying, fake = transport(*[BUSY] * 1000, policy=Policy(busy_pause_s=0.01, longest_busy_pause_s=0.01))
    with deadline(0.1), pytest.raises(ServerBusy):
        await retrying.infer("echo", {})
    sent = len(fake.requests)
    assert 1 < sent <= 22
    with deadline(0.0), pytest.raises(ServerTimeout):
        await retrying.infer("echo", {})
    assert len(fake.requests) == sent


async def test_pauses_grow_vary_and_stay_below_their_longest() -> None:
    policy = Policy()
    for attempt in (1, 2, 3, 8, 1000):
        full_s = min(policy.pause_s * 2.0 ** min(attempt - 1, 20), policy.longest_pause_s)
        pauses = {policy.pause_after(attempt, AWAY) for _ in range(50)}
        assert full_s / 2 <= min(pauses) < max(pauses) <= full_s
    assert policy.pause_after(1000, BUSY) <= policy.longest_busy_pause_s


async def test_attempts_are_counted_for_those_who_ask_across_tasks() -> None:
    retrying, _ = transport(OK, BUSY, BUSY, OK, OK)
    await retrying.infer("echo", {})
    with counted() as outer:
        await retrying.infer("echo", {})
        with counted() as inner:
            await asyncio.gather(retrying.infer("echo", {}))
    assert (outer.requests, outer.attempts, outer.most) == (2, 4, 3)
    assert (inner.requests, inner.attempts, inner.most) == (1, 1, 1)


async def test_the_log_tells_of_each_retry_and_not_of_what_was_sent(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "callscope")
    retrying, _ = transport(ServerBusy(URL, "echo", "the customer said secret"), OK)
    await retrying.infer("echo", {})
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert "attempt 1 for echo failed (ServerBusy)" in caplog.text
    assert "secret" not in caplog.text


async def test_of_two_deadlines_the_earlier_counts() -> None:
    assert left_s() == float("inf")
    with deadline(100), deadline(1000):
        assert 99 < left_s() <= 100
        assert within_s(5) == 5
        with deadline(1), deadline(None):
            assert 0 < within_s(5) <= 1
    assert within_s(5) == 5
    with deadline(-1):
        assert 0 < within_s(5) < 0.01
