"""A stand-in for a Kubernetes Service: new connections go to the pods that are in it, and those that are open stay."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count

PIECE_BYTES = 1 << 16


class Service:
    """Pods by their place, host:port; `place` is the service's own."""

    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event
    place: str

    def __init__(self) -> None:
        self.pods: list[str] = []
        self._turn = count()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Lead one connection to a pod."""
        pods = list(self.pods)
        host, _, port = pods[next(self._turn) % len(pods)].partition(":")
        try:
            inner, outer = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(_pass_on(reader, outer), _pass_on(inner, writer))
        finally:
            for each in (outer, writer):
                each.close()
            await asyncio.sleep(0)  # a transport is closed in the next round of its loop


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
    with suppress(OSError):
        writer.close()


@contextmanager
def service() -> Iterator[Service]:
    """A service without pods."""
    made, ready = Service(), threading.Event()

    async def serve() -> None:
        server = await asyncio.start_server(made.connect, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        made.place, made.loop, made.stop = f"{host}:{port}", asyncio.get_running_loop(), asyncio.Event()
        ready.set()
        await made.stop.wait()
        server.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    ready.wait()
    try:
        yield made
    finally:
        made.loop.call_soon_threadsafe(made.stop.set)
        thread.join()
