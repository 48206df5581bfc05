"""What a way of serving gives: a server of its own, asked for a while by always as many requests."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from callscope.triton.transcriber import MODEL
from callscope.triton.transport import Transport, connect
from callscope.tuning.variant import Choice, write_variant
from callscope.tuning.windows import Request

if TYPE_CHECKING:
    from callscope_server.environment import Environment

OUTPUTS = ("tokens",)


@dataclass(frozen=True, slots=True)
class Seen:
    """One trial: windows a second, and the latency that one in twenty exceeds, in seconds."""

    per_s: float
    p95_s: float


@dataclass(frozen=True, slots=True)
class Bench:
    """Where trials take place.

    Attributes:
        repository: what is served; only read.
        environment: of the server.
        windows: what is asked for.
        in_flight: requests without an answer at any time.
        trial_s: how long is counted.
        startup_timeout_s: how long a server may take to start.
    """

    repository: Path
    environment: Environment
    windows: Sequence[Request]
    in_flight: int
    trial_s: float
    startup_timeout_s: float

    def try_out(self, choice: Choice) -> Seen:
        """Serve a copy of the repository as chosen, and measure.

        Raises:
            ServerError: it does not start.
            TritonError: it does not answer.
        """
        from callscope_server.launcher import TritonServer  # noqa: PLC0415  only who needs a server loads it

        with tempfile.TemporaryDirectory(prefix="callscope-tune-") as folder:
            variant = write_variant(self.repository, Path(folder) / "repository", choice)
            with TritonServer(
                variant, environment=self.environment, startup_timeout_s=self.startup_timeout_s
            ) as server:
                return asyncio.run(self._asked(f"grpc://{server.endpoints.grpc}"))

    async def _asked(self, url: str) -> Seen:
        transport = connect(url)
        try:
            return await measure(transport, self.windows, self.in_flight, self.trial_s)
        finally:
            await transport.close()


async def measure(transport: Transport, windows: Sequence[Request], in_flight: int, trial_s: float) -> Seen:
    """Ask for windows, always as many at once; what is answered after the first round counts."""
    answers: list[tuple[float, float]] = []
    numbers = itertools.count()
    ends_s = float("inf")

    async def ask() -> None:
        nonlocal ends_s
        while time.perf_counter() < ends_s or len(answers) < 2 * in_flight:
            began_s = time.perf_counter()
            await transport.infer(MODEL, windows[next(numbers) % len(windows)], outputs=OUTPUTS)
            answers.append((now_s := time.perf_counter(), now_s - began_s))
            if len(answers) == in_flight:
                ends_s = now_s + trial_s

    await asyncio.gather(*(ask() for _ in range(in_flight)))
    counted = answers[in_flight : max(2 * in_flight, len(answers) - in_flight + 1)]
    took_s = counted[-1][0] - answers[in_flight - 1][0]
    return Seen(len(counted) / took_s, float(np.quantile([latency_s for _, latency_s in counted], 0.95)))
