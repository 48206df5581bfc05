"""A search for the most calls in progress whose words come in time: 95 % of them within --target seconds.

locust -f loadtest/locustfile.py,loadtest/shapes/live.py Live --headless --peak 40 --duration 20 --host grpc://HOST:PORT

--peak is the first number of calls that is tried, --duration how long a trial takes. One process: no workers.
"""

from __future__ import annotations

import sys
import time

from loadtest.search import Search
from loadtest.trials import Trials
from locust import LoadTestShape


class LiveCalls(LoadTestShape):
    """As many lines as are on trial."""

    def __init__(self) -> None:
        super().__init__()
        self._trials: Trials | None = None

    def tick(self) -> tuple[int, float] | None:
        """How many lines there shall be now."""
        options, sending = self.runner.environment.parsed_options, self.runner.environment.sending
        if self._trials is None:
            self._trials = Trials(Search(options.peak), options.duration, options.target, _say)
        count = self._trials.count(time.perf_counter() - sending.began_s, sending.samples)
        if count is None:
            _say(f"It carries {self._trials.search.passed} calls in progress.")
            return None
        return count, float(count)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
