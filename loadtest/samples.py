"""What became of each request, and what is said of many."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from loadtest.served import Statistics, read_statistics


@dataclass(frozen=True, slots=True)
class Sample:
    """One request.

    Attributes:
        kind: what was sent: transcribe, punctuate, sentiment, call, live.
        protocol: grpc or http.
        due_s: when it was to be sent, from the start of the run.
        latency_s: from then until its answer, however late it was sent.
        lag_s: how late the generator itself was.
        sources: how many sources of this kind were at work then.
        audio_s: seconds of sound in it.
        error: the kind of error; empty where it was answered.
    """

    kind: str
    protocol: str
    due_s: float
    latency_s: float
    lag_s: float
    sources: int
    audio_s: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """A run: its samples, the server's statistics at times from its start in seconds, and facts of what was sent."""

    samples: tuple[Sample, ...]
    statistics: tuple[tuple[float, Statistics], ...]
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Summary:
    """Many requests in a few figures.

    Attributes:
        count: of them, failed ones included.
        p50_s: the median latency of those that were answered, NaN without any; so also the next two.
        p95_s: exceeded by one in twenty.
        p99_s: exceeded by one in a hundred.
        error_rate: the share that failed.
        lag_p95_s: how late the generator was.
    """

    count: int
    p50_s: float
    p95_s: float
    p99_s: float
    error_rate: float
    lag_p95_s: float


def summarize(samples: Iterable[Sample]) -> Summary:
    """The figures of some samples."""
    every = list(samples)
    answered = [sample.latency_s for sample in every if not sample.error]
    lags = [sample.lag_s for sample in every]
    p50_s, p95_s, p99_s = (quantile(answered, share) for share in (0.5, 0.95, 0.99))
    failed = (len(every) - len(answered)) / max(1, len(every))
    return Summary(len(every), p50_s, p95_s, p99_s, failed, quantile(lags, 0.95))


def quantile(values: Sequence[float], share: float) -> float:
    """The value that a share of the values does not exceed: one of them, no interpolation; NaN without any."""
    return float(np.quantile(values, share, method="inverted_cdf")) if values else float("nan")


def to_line(record: Sample | tuple[float, Statistics]) -> str:
    """A line of a file of results."""
    if isinstance(record, Sample):
        return json.dumps(asdict(record))
    at_s, statistics = record
    return json.dumps({"at_s": at_s, "statistics": {name: asdict(each) for name, each in statistics.items()}})


def read_results(path: Path) -> Results:
    """Read a file of results."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    samples = tuple(Sample(**line) for line in lines if "kind" in line)
    states = tuple((line["at_s"], read_statistics(line["statistics"])) for line in lines if "statistics" in line)
    facts: Mapping[str, Any] = next((line["facts"] for line in lines if "facts" in line), {})
    return Results(samples, states, facts)
