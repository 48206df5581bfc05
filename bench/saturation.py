"""Throughput with always the same number of requests in flight, without the emptier start and end of a run."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callscope.triton.transport import Tensors, Transport

Windows = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Saturated:
    """A run: answers a second, and how many there were in all, those before and after that second's count included."""

    per_s: float
    answers: int


async def saturate(ask: Callable[[int], Awaitable[object]], in_flight: int, answers: int) -> Saturated:
    """Answers a second at a constant number of requests in flight.

    Args:
        ask: sends request number so-and-so and returns when it is answered.
        in_flight: how many wait for an answer at any time.
        answers: how many are counted; the first `in_flight` answers come before those.
    """
    numbers = itertools.count()
    times: list[float] = []
    last = in_flight + answers

    async def send() -> None:
        while len(times) < last:
            await ask(next(numbers))
            times.append(time.perf_counter())

    await asyncio.gather(*(send() for _ in range(in_flight)))
    return Saturated(answers / (times[last - 1] - times[in_flight - 1]), len(times))


def requests(windows: Windows, tokens: int) -> Sequence[Tensors]:
    """A request to `transcribe` for each window, shape (count, samples): any language, at most so many tokens."""
    options = {"language": -1, "task": -1, "max_tokens": tokens}
    return [
        {
            "audio": window[np.newaxis],
            **{name: np.array([[value]], np.int32) for name, value in options.items()},
            "temperature": np.zeros((1, 1), np.float32),
        }
        for window in windows
    ]


def asking(transport: Transport, bodies: Sequence[Tensors]) -> Callable[[int], Awaitable[object]]:
    """Ask `transcribe` for the tokens of one request after another, round and round."""

    async def ask(number: int) -> object:
        return await transport.infer("transcribe", bodies[number % len(bodies)], outputs=["tokens"], timeout_s=600)

    return ask
