"""A search for the most calls in progress whose words come in time: 95 % of them within --target seconds.

locust -f loadtest/locustfile.py,loadtest/shapes/live.py Live --headless --peak 40 --duration 20 --host grpc://HOST:PORT

--peak is the first number of calls that is tried, --duration how long a trial takes. One process: no workers.
"""

from __future__ import annotations

import sys
import time

from loadtest.samples import Sample, quantile
from loadtest.search import Search
from locust import LoadTestShape

SETTLING = 0.25
"""Of a trial's time, in which the last trial's requests are answered and this one's lines come in."""
HOPELESS = 2.0
"""A trial is over when so many times the share that may be late is late already."""
MAY_BE_LATE = 0.05
ENOUGH = 20
"""Windows without which a trial says nothing."""
LONGEST = 4.0
"""How many times its time a trial may take to have that many."""


class LiveCalls(LoadTestShape):  # type: ignore[misc]  # Locust's classes are not typed for mypy
    """As many lines as are on trial."""

    def __init__(self) -> None:
        super().__init__()
        self._search: Search | None = None
        self._count: int | None = None
        self._since = 0.0
        self._seen = 0

    def tick(self) -> tuple[int, float] | None:
        """How many lines there shall be now."""
        options = self.runner.environment.parsed_options
        if self._search is None:
            self._search = Search(options.peak)
            self._begin()
        samples = self._samples(options.duration)
        if self._is_over(samples, options):
            p95_s = quantile([_latency(sample) for sample in samples], 0.95)
            self._search.tell(self._count or 0, passed=len(samples) >= ENOUGH and p95_s <= options.target)
            sys.stderr.write(f"{self._count} calls: {len(samples)} windows, p95 {p95_s:.2f} s\n")
            self._begin()
        if self._count is None:
            sys.stderr.write(f"It carries {self._search.passed} calls in progress.\n")
            return None
        return self._count, float(self._count)

    def _begin(self) -> None:
        self._count = self._search.next() if self._search else None
        self._since, self._seen = time.perf_counter(), len(self.runner.environment.sending.samples)

    def _samples(self, duration_s: float) -> list[Sample]:
        """Those of this trial that were due when it had settled."""
        sending = self.runner.environment.sending
        from_s = self._since - sending.began_s + SETTLING * duration_s
        return [sample for sample in sending.samples[self._seen :] if sample.due_s >= from_s]

    def _is_over(self, samples: list[Sample], options: object) -> bool:
        duration_s, target_s = options.duration, options.target  # type: ignore[attr-defined]  # parsed by Locust
        took_s = time.perf_counter() - self._since
        if took_s >= duration_s and (len(samples) >= ENOUGH or took_s >= LONGEST * duration_s):
            return True
        late = sum(_latency(sample) > target_s for sample in samples)
        due = max(ENOUGH, len(samples))
        return late > HOPELESS * MAY_BE_LATE * due and late >= ENOUGH / 2


def _latency(sample: Sample) -> float:
    return float("inf") if sample.error else sample.latency_s
