"""Load for a Callscope Triton; run it from the root of the clone.

locust -f loadtest/locustfile.py --host grpc://127.0.0.1:8001

A user is a source of requests with a clock of its own, so a slow server does not slow its load, and a latency counts
from the moment at which the request was due. Name classes to have only those: `... Live` for calls in progress.
`-f loadtest/locustfile.py,loadtest/shapes/spike.py` gives the load a shape.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path

from locust import events
from locust.env import Environment
from locust.runners import MasterRunner

from loadtest.arrivals import PATTERNS
from loadtest.sending import GeneratorFailed, Sending
from loadtest.source import Source

CALLS = Path(__file__).parents[1] / "demo" / "calls"
SERVER_FAILED = 4
ADDRESS = "grpc://127.0.0.1:8001"


@events.init_command_line_parser.add_listener
def add_options(parser: ArgumentParser) -> None:
    """Options of ours, on the command line and in the web page."""
    group = parser.add_argument_group("Callscope")
    group.add_argument(
        "--rate", type=float, default=1.0, help="windows a second that a user sends, or as much in calls"
    )
    group.add_argument("--arrivals", choices=[*PATTERNS], default="poisson", help="how a user's requests are spread")
    group.add_argument("--calls", default=str(CALLS), help="a folder of recordings")
    group.add_argument("--model", default="transcribe", choices=["transcribe", "transcribe_words"])
    group.add_argument("--tokens", type=int, default=0, help="the most a window may take; 0: by its seconds of speech")
    group.add_argument("--timeout", type=float, default=60.0, help="seconds after which a request has failed")
    group.add_argument("--results", default="", help="a file for every request's figures, JSON lines")
    group.add_argument("--peak", type=int, default=10, help="users at the height of a shape")
    group.add_argument("--duration", type=float, default=60.0, help="seconds that a shape takes")
    group.add_argument("--target", type=float, default=2.0, help="seconds in which 95 %% of live words must be there")


@events.init.add_listener
def prepare(environment: Environment, **_: object) -> None:
    """Cut the recordings before the time of a test begins, where its server is known by then."""
    if environment.parsed_options.headless and not isinstance(environment.runner, MasterRunner):
        start(environment)


@events.test_start.add_listener
def start(environment: Environment, **_: object) -> None:
    """Start the generator, on whatever has users: a worker, or Locust alone."""
    if isinstance(environment.runner, MasterRunner) or "sending" in vars(environment):
        return
    environment.host = environment.host or ADDRESS
    try:
        environment.sending = Sending(environment, environment.parsed_options)
    except GeneratorFailed as failure:
        sys.stderr.write(f"{failure}\n")
        sys.exit(SERVER_FAILED)


@events.test_stop.add_listener
def stop(environment: Environment, **_: object) -> None:
    """Wait for the last answers."""
    if sending := vars(environment).pop("sending", None):
        sending.end()


class Windows(Source):
    """Windows of speech to the recogniser."""

    kind, weight = "transcribe", 4


class Punctuation(Source):
    """Texts to the punctuation model."""

    kind = "punctuate"


class Sentiment(Source):
    """Texts to the sentiment model."""

    kind = "sentiment"


class Calls(Source):
    """Whole recordings through the pipeline."""

    kind = "call"


class Live(Source):
    """Calls in progress: each sends a window when it has been said."""

    kind = "live"
