"""Locust's end of the generator: starts it, tells it which users there are, and reports what became of requests."""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import Namespace
from itertools import count
from typing import Any

import gevent
from gevent import subprocess
from locust.env import Environment

from loadtest.places import ROOT
from loadtest.places import environment as environment_of_sources
from loadtest.samples import Sample

ENDED = '{"failed": "The generator ended. Read its error above."}'
PATIENCE_S = 30.0
"""For answers that are due when a test ends."""


class GeneratorFailed(RuntimeError):
    """The generator cannot send; the message says why."""


class Sending:
    """A generator process, for one test.

    Attributes:
        samples: what has become of requests so far, in the order of their answers.
        began_s: when its clock began, of `time.perf_counter` here.
    """

    def __init__(self, environment: Environment, options: Namespace) -> None:
        self._environment = environment
        self._numbers = count()
        self.samples: list[Sample] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "loadtest.generator", *_arguments(environment, options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment_of_sources(),
            start_new_session=True,  # Ctrl-C is Locust's, which then ends the test in order
        )
        self.facts = self._ready()
        self.began_s = time.perf_counter() - self.facts["clock_s"]
        self._reading = gevent.spawn(self._read)

    def start(self, kind: str, rate: float) -> int:
        """Add a source; its number is given back."""
        number = next(self._numbers)
        self._order(start=number, kind=kind, rate=rate)
        return number

    def stop(self, number: int) -> None:
        """Take a source away."""
        self._order(stop=number)

    def end(self) -> None:
        """Stop everything, and wait a little for what is due."""
        self._order(end=PATIENCE_S)
        self._reading.join()
        self._process.wait()

    def kill(self) -> None:
        """End the process at once, if it still runs."""
        self._process.kill()
        self._process.wait()

    def _order(self, **order: object) -> None:
        if self._process.poll() is None:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()

    def _ready(self) -> dict[str, Any]:
        answer = json.loads(self._process.stdout.readline() or ENDED)
        if "failed" in answer:
            self._process.wait()
            raise GeneratorFailed(answer["failed"])
        facts: dict[str, Any] = answer["ready"]
        return facts

    def _read(self) -> None:
        for line in self._process.stdout:
            sample = Sample(**json.loads(line))
            self.samples.append(sample)
            self._environment.events.request.fire(
                request_type=sample.protocol,
                name=sample.kind,
                response_time=sample.latency_s * 1000,
                response_length=0,
                exception=RuntimeError(sample.error) if sample.error else None,
                context={},
            )


def _arguments(environment: Environment, options: Namespace) -> list[str]:
    given = {"server": environment.host, "calls": options.calls, "arrivals": options.arrivals, "model": options.model}
    given |= {"tokens": options.tokens, "timeout": options.timeout, "seed": os.getpid()}
    given |= {"results": options.results} if options.results else {}
    return [f"--{name}={value}" for name, value in given.items()]
