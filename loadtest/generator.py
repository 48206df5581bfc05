"""The process that sends: it keeps the clock of every source, and tells what became of each request.

    python -m loadtest.generator --server grpc://HOST:PORT

Locust runs on gevent and the client on asyncio, which do not mix in one process. So Locust decides how many users there
are and shows what comes of it, and this process, which it starts, does the sending with the client that commands use.

Standard input, a line of JSON each: {"start": ID, "kind": KIND, "rate": ARRIVALS_A_SECOND}, {"stop": ID}, and last
{"end": SECONDS}, which stops all sources and waits so long for the answers that are due. Standard output: first
{"ready": FACTS} or {"failed": WHY}, then a line for each request (`samples.Sample`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from typing import IO, Any

from tritonclient.utils import InferenceServerException

from callscope.errors import CallscopeError
from callscope.triton.transport import Transport, addresses, connect
from loadtest.access import Access, read_access
from loadtest.arrivals import PATTERNS, arrivals
from loadtest.samples import Sample, to_line
from loadtest.served import Statistics, fetch_statistics
from loadtest.work import Material, Send, gather, live, sends

STATISTICS_EVERY_S = 1.0
CLOSED, LIVE, CALL = "closed", "live", "call"
UNANSWERED = "Unanswered"


class Generator:
    """Sources of requests, and what they have sent.

    Args:
        transports: to the server; sources take turns.
        material: what they send.
        options: `parse` tells which.
        access: to the server's own statistics.

    Attributes:
        samples: what became of requests so far, in the order of their answers.
    """

    def __init__(
        self,
        transports: list[Transport],
        material: Material,
        options: argparse.Namespace,
        access: Access | None = None,
    ) -> None:
        self._material, self._options, self._access = material, options, access
        self._next_transport = cycle(transports)
        self._sources: dict[int, tuple[str, asyncio.Task[None]]] = {}
        self._outstanding: set[asyncio.Task[None]] = set()
        self.samples: list[Sample] = []
        self._began_s = time.perf_counter()
        self._file: IO[str] | None = options.results.open("w", encoding="utf-8") if options.results else None

    @property
    def clock_s(self) -> float:
        """Seconds since it began."""
        return time.perf_counter() - self._began_s

    def start(self, number: int, kind: str, rate: float) -> None:
        """Add a source."""
        chance = random.Random(f"{self._options.seed}:{kind}:{number}")
        work = self._closed(chance) if kind == CLOSED else self._open(kind, rate, chance)
        self._sources[number] = (kind, asyncio.create_task(work))

    def stop(self, number: int) -> None:
        """Take a source away; what it has sent is still waited for, unless it is one that waits for its answers."""
        _, task = self._sources.pop(number)
        task.cancel()

    async def end(self, patience_s: float) -> None:
        """Stop all sources, and give the answers that are due some time."""
        for number in [*self._sources]:
            self.stop(number)
        if self._outstanding:
            await asyncio.wait(self._outstanding, timeout=patience_s)
        for task in [*self._outstanding]:
            task.cancel()
        await asyncio.gather(*self._outstanding, return_exceptions=True)
        await self._note()
        if self._file:
            self._file.close()

    async def _note(self) -> None:
        with suppress(OSError, InferenceServerException):  # too busy to tell, or for the administrator alone: go on
            self.note(await fetch_statistics(self._options.servers[0], self._access))

    def note(self, statistics: Statistics) -> None:
        """Write the server's own statistics down."""
        self.write(to_line((self.clock_s, statistics)))

    def write(self, line: str) -> None:
        """Write a line into the file of results, where there is one."""
        if self._file:
            print(line, file=self._file)

    async def watch(self) -> None:
        """Write the server's own statistics down from time to time."""
        while True:
            await self._note()
            await asyncio.sleep(STATISTICS_EVERY_S)

    async def _open(self, kind: str, rate: float, chance: random.Random) -> None:
        """Send by the clock, whether or not answers come."""
        transport = next(self._next_transport)
        async for due_s, send in arrivals(self._schedule(kind, rate, chance)):
            task = asyncio.create_task(self._sent(kind, transport, send, due_s))
            self._outstanding.add(task)
            task.add_done_callback(self._outstanding.discard)

    async def _closed(self, chance: random.Random) -> None:
        """Send the next when the last is answered: that tells what a server can do, and nothing of how calls fare."""
        transport = next(self._next_transport)
        for send in self._sends(CLOSED, chance):
            await self._sent(CLOSED, transport, send, time.perf_counter())

    def _schedule(self, kind: str, rate: float, chance: random.Random) -> Iterator[tuple[float, Send]]:
        if kind == LIVE:
            return live(self._material, chance, model=self._options.model, timeout_s=self._options.timeout)
        per_s = rate / self._material.windows_a_call if kind == CALL else rate
        return zip(PATTERNS[self._options.arrivals](per_s, chance), self._sends(kind, chance), strict=True)

    def _sends(self, kind: str, chance: random.Random) -> Iterator[Send]:
        return sends(kind, self._material, chance, model=self._options.model, timeout_s=self._options.timeout)

    async def _sent(self, kind: str, transport: Transport, send: Send, due_s: float) -> None:
        lag_s, audio_s, error = time.perf_counter() - due_s, 0.0, ""
        sources = sum(of == kind for of, _ in self._sources.values())
        try:
            audio_s = await send(transport)
        except CallscopeError as failure:
            error = type(failure).__name__
        except asyncio.CancelledError:
            if kind == CLOSED:
                raise
            error = UNANSWERED  # the test has ended, and patience with it: to leave it out would flatter
        took_s, protocol = time.perf_counter() - due_s, transport.url.split(":")[0]
        self._tell(Sample(kind, protocol, due_s - self._began_s, took_s, lag_s, sources, audio_s, error))

    def _tell(self, sample: Sample) -> None:
        self.samples.append(sample)
        line = to_line(sample)
        print(line, flush=True)
        self.write(line)


async def serve(options: argparse.Namespace) -> None:
    """Get ready, then do as standard input says, until it ends."""
    access = read_access()
    transports: list[Transport] = [
        connect(url, timeout_s=options.timeout, headers=access.headers, tls=access.tls) for url in options.servers
    ]
    try:
        material = await gather(transports[0], options.calls, options.tokens)
        generator = Generator(transports, material, options, access)
        facts: dict[str, Any] = {"windows": len(material.windows), "windows_a_call": material.windows_a_call}
        facts |= {"windows_a_live_second": material.windows_a_live_second, "clock_s": generator.clock_s}
        generator.write(json.dumps({"facts": facts}))
        print(json.dumps({"ready": facts | {"texts": [model.name for model in material.text_models]}}), flush=True)
        watching = asyncio.create_task(generator.watch())
        patience_s = 0.0
        async for order in _orders():
            if "start" in order:
                generator.start(order["start"], order["kind"], order["rate"])
            elif "stop" in order:
                generator.stop(order["stop"])
            else:
                patience_s = order["end"]
                break
        watching.cancel()
        await generator.end(patience_s)
    finally:
        await asyncio.gather(*(transport.close() for transport in transports))


async def _orders() -> AsyncIterator[dict[str, Any]]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield json.loads(line)


def parse() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True, help="where to send; with several, separated by commas, in turn")
    parser.add_argument("--calls", type=Path, required=True, help="a folder of recordings")
    parser.add_argument("--arrivals", choices=[*PATTERNS], default="poisson")
    parser.add_argument("--model", default="transcribe", help="which windows are sent to")
    parser.add_argument("--tokens", type=int, default=0, help="the most a window may take; 0: by its seconds of speech")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds after which a request has failed")
    parser.add_argument("--seed", default="0")
    parser.add_argument("--results", type=Path, help="where each request is written down")
    options = parser.parse_args()
    options.servers = addresses(options.server)
    return options


def main() -> None:
    """Run, and say in one line what is wrong if it cannot."""
    try:
        asyncio.run(serve(parse()))
    except (CallscopeError, FileNotFoundError) as error:
        print(json.dumps({"failed": str(error)}), flush=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
