"""What Prometheus is told of the pipeline. Labels have few values: never a path, an id or a text.

Everything is counted from the start of the process, whether anybody asks or not; `metrics_port` lets somebody ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Literal, TypeVar, get_args
from urllib.parse import urlsplit
from weakref import ref

from prometheus_client import Counter, Gauge, Histogram

from callscope.errors import ServerTimeout
from callscope.triton.breaker import Breaker, State

Outcome = Literal["analysed", "known", "cached", "aside", "failed"]
Item = TypeVar("Item")

STEP_BUCKETS_S = (0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
REQUEST_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
FACTOR_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)

CALLS = Counter("callscope_calls_total", "Calls that are done with, by how they ended.", ["outcome"])
IN_PROGRESS = Gauge("callscope_calls_in_progress", "Calls that are worked on.")
WAITING = Gauge("callscope_calls_waiting", "Recordings of a batch whose turn has not come.")
STEP_SECONDS = Histogram("callscope_step_seconds", "Seconds of a call's step.", ["step"], buckets=STEP_BUCKETS_S)
STEPS = Counter("callscope_steps_total", "Steps of calls, by how they ended.", ["step", "status"])
DEGRADED = Counter("callscope_degraded_calls_total", "Analysed calls that lack what a step gives.", ["step"])
REQUEST_SECONDS = Histogram(
    "callscope_request_seconds",
    "Seconds until a model's answer, its wait at the server included, or until the request's deadline.",
    ["model"],
    buckets=REQUEST_BUCKETS_S,
)
IN_FLIGHT = Gauge("callscope_requests_in_flight", "Requests that a server has not answered.", ["server"])
RETRIES = Counter("callscope_retries_total", "Requests sent again, by the error before.", ["error"])
BREAKER_OPEN = Gauge("callscope_breaker_open", "1 while a server is left alone because it fails.", ["server"])
ERRORS = Counter("callscope_errors_total", "Errors that ended a step or a call, by their class.", ["error"])
AUDIO_SECONDS = Counter("callscope_audio_seconds_total", "Seconds of sound in the calls that were analysed.")
REAL_TIME_FACTOR = Histogram(
    "callscope_real_time_factor", "Seconds of work for a second of a call.", buckets=FACTOR_BUCKETS
)
CACHE = Counter("callscope_cache_total", "Look-ups of results in the cache, by what came of them.", ["result"])
PIPELINE = (
    CALLS,
    IN_PROGRESS,
    WAITING,
    STEP_SECONDS,
    STEPS,
    DEGRADED,
    REQUEST_SECONDS,
    IN_FLIGHT,
    RETRIES,
    BREAKER_OPEN,
    ERRORS,
    AUDIO_SECONDS,
    REAL_TIME_FACTOR,
    CACHE,
)

for _outcome in get_args(Outcome):
    CALLS.labels(_outcome)  # there from the start, at 0: a rate needs the value before the first


def queued(items: Iterable[Item], count: int) -> Iterator[Item]:
    """Hand out items one by one, and tell how many of `count` still wait; none when nobody asks any more."""
    WAITING.set(count)
    try:
        for item in items:
            WAITING.dec()
            yield item
    finally:
        WAITING.set(0)


def watch_breaker(url: str, breaker: Breaker) -> None:
    """Tell whether the server is left alone, at the moment somebody asks."""
    watched = ref(breaker)

    def is_open() -> float:
        now = watched()
        return float(now is not None and now.state is not State.CLOSED)

    BREAKER_OPEN.labels(server_of(url)).set_function(is_open)


@contextmanager
def timed_request(url: str, model: str) -> Iterator[None]:
    """Time one request to a server; one that it refuses or that does not reach it has no time."""
    in_flight = IN_FLIGHT.labels(server_of(url))
    in_flight.inc()
    began = perf_counter()
    try:
        yield
    except ServerTimeout:
        REQUEST_SECONDS.labels(model).observe(perf_counter() - began)
        raise
    else:
        REQUEST_SECONDS.labels(model).observe(perf_counter() - began)
    finally:
        in_flight.dec()


def server_of(url: str) -> str:
    """A server's HOST:PORT, without whoever an address may name before it."""
    return urlsplit(url).netloc.rpartition("@")[2]
