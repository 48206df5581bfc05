"""A load that does not end for anything: windows of silence, one after another, with no second try."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from callscope.errors import CallscopeError
from callscope.triton.tls import Tls
from callscope.triton.transport import Transport, connect

PATIENCE_S = 120.0


@dataclass
class Load:
    """What has become of the requests so far.

    Attributes:
        answered: requests, by the address they were sent to.
        failed: each failure, in words.
        longest_s: the longest that a request took.
    """

    answered: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    longest_s: float = 0.0

    def wait_for_more(self, count: int) -> None:
        """Wait until each address has answered so many more, or one has failed."""
        goal = {url: done + count for url, done in self.answered.items()}
        deadline_s = time.monotonic() + PATIENCE_S
        while not self.failed and any(self.answered[url] < wanted for url, wanted in goal.items()):
            assert time.monotonic() < deadline_s, (goal, self.answered)
            time.sleep(0.05)


def silence(parameters: Mapping[str, str]) -> dict[str, NDArray[Any]]:
    """A window of it, as `transcribe` takes it."""
    return {
        "audio": np.zeros((1, int(parameters["window_samples"])), np.int16),
        "language": np.full((1, 1), -1, np.int32),
        "task": np.full((1, 1), -1, np.int32),
        "max_tokens": np.full((1, 1), 8, np.int32),
        "temperature": np.zeros((1, 1), np.float32),
    }


@contextmanager
def loading(urls: Sequence[str], headers: Mapping[str, str], tls: Tls | None = None) -> Iterator[Load]:
    """Two clients an address send for as long as the block runs."""
    load, stop = Load(Counter(dict.fromkeys(urls, 0))), threading.Event()

    async def client(url: str, transport: Transport) -> None:
        window = silence(await transport.parameters("transcribe"))
        while not stop.is_set():
            began_s = time.perf_counter()
            try:
                await transport.infer("transcribe", window, timeout_s=60)
                load.answered[url] += 1
            except CallscopeError as error:
                load.failed.append(f"{url}: {type(error).__name__}: {error}")
                await asyncio.sleep(0.1)
            load.longest_s = max(load.longest_s, time.perf_counter() - began_s)

    async def clients() -> None:
        transports = [(url, connect(url, headers=headers, tls=tls)) for url in urls for _ in range(2)]
        try:
            await asyncio.gather(*(client(*each) for each in transports))
        finally:
            for _, transport in transports:
                with suppress(CallscopeError):
                    await transport.close()

    thread = threading.Thread(target=asyncio.run, args=(clients(),))
    thread.start()
    try:
        load.wait_for_more(1)
        yield load
    finally:
        stop.set()
        thread.join()
