"""What logs, metrics and spans cost: one call with all of them and without, in turn, against one server.

python -m bench.watching [--rounds 8]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from callscope.pipeline import analyze
from callscope.settings import Settings
from callscope.telemetry.exposition import exposed
from callscope.telemetry.logs import configure_logging, end_logging
from callscope.telemetry.tracing import traced
from callscope.triton.resilient import open_transport
from callscope_server.environment import ensure_environment
from callscope_server.launcher import TritonServer

ROOT = Path(__file__).parents[1]
SCRAPE_EVERY_S = 1.0
PORT = 19400


@contextmanager
def collector() -> Iterator[str]:
    """Whatever is sent there is thrown away."""

    class Sink(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Sink) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@contextmanager
def scraped() -> Iterator[None]:
    """Somebody asks for the metrics each second."""
    over = threading.Event()

    def ask() -> None:
        while not over.wait(SCRAPE_EVERY_S):
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics").read()

    with exposed("127.0.0.1", PORT):
        thread = threading.Thread(target=ask)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


@contextmanager
def watched(endpoint: str, folder: Path) -> Iterator[None]:
    """All of it."""
    configure_logging(Settings(log_level="error", log_file=folder / "log"))
    with scraped(), traced(endpoint):
        yield
    end_logging()


def once(url: str, call: Path) -> tuple[float, float]:
    """Seconds on the clock and of the processor for one call."""

    async def work() -> None:
        transport = open_transport(url, Settings())
        await analyze(call, transport, Settings())
        await transport.close()

    began_s, cpu_s = perf_counter(), process_time()
    asyncio.run(work())
    return perf_counter() - began_s, process_time() - cpu_s


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    rounds = parser.parse_args().rounds
    call = ROOT / "demo" / "calls" / "en.wav"
    environment = ensure_environment(Path(given) if (given := os.environ.get("CALLSCOPE_SERVER_ENVIRONMENT")) else None)
    wall, cpu = [], []
    with (
        tempfile.TemporaryDirectory() as folder,
        collector() as endpoint,
        TritonServer(ROOT / "model_repository", environment=environment) as server,
    ):
        url = f"grpc://{server.endpoints.grpc}"
        once(url, call)
        for number in range(rounds):
            taken = {}
            for on in (True, False) if number % 2 else (False, True):
                if on:
                    with watched(endpoint, Path(folder)):
                        taken[on] = once(url, call)
                else:
                    taken[on] = once(url, call)
            wall.append(taken[True][0] / taken[False][0])
            cpu.append(taken[True][1] / taken[False][1])
            print(f"round {number + 1}: clock {wall[-1]:.3f}, client's processor {cpu[-1]:.3f}", flush=True)
    for name, ratios in (("clock", wall), ("client's processor", cpu)):
        print(f"watched / not watched, {name}: median {median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
