"""Triton's own statistics: what it counts of each model from its start, and the difference of two readings."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tritonclient.grpc.aio import InferenceServerClient

from loadtest.access import Access

NS_PER_S = 1e9
TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Work:
    """A model's work so far, or between two readings.

    Attributes:
        requests: that were answered.
        inferences: rows in them.
        executions: runs of the model, each of one batch.
        queue_s: that the requests waited, together.
        compute_s: that they were worked on, together: input, inference and output.
        batches: how often the model ran with so many rows.
    """

    requests: int = 0
    inferences: int = 0
    executions: int = 0
    queue_s: float = 0.0
    compute_s: float = 0.0
    batches: Mapping[str, int] = field(default_factory=dict)

    @property
    def mean_batch(self) -> float:
        """Rows a run; 0 without any."""
        return self.inferences / self.executions if self.executions else 0.0

    @property
    def queue_each_s(self) -> float:
        """How long a request waited; 0 without any."""
        return self.queue_s / self.requests if self.requests else 0.0

    @property
    def compute_each_s(self) -> float:
        """How long a request was worked on; 0 without any."""
        return self.compute_s / self.requests if self.requests else 0.0

    def since(self, earlier: Work) -> Work:
        """What was done after an earlier reading."""
        sizes = {size: count - earlier.batches.get(size, 0) for size, count in self.batches.items()}
        return Work(
            requests=self.requests - earlier.requests,
            inferences=self.inferences - earlier.inferences,
            executions=self.executions - earlier.executions,
            queue_s=self.queue_s - earlier.queue_s,
            compute_s=self.compute_s - earlier.compute_s,
            batches={size: count for size, count in sizes.items() if count},
        )


Statistics = Mapping[str, Work]
"""By the model's name."""


def difference(after: Statistics, before: Statistics) -> dict[str, Work]:
    """What each model did between two readings."""
    return {name: work.since(before.get(name, Work())) for name, work in after.items()}


async def fetch_statistics(url: str, access: Access | None = None) -> Statistics:
    """Ask a server, grpc:// or http://; one that is guarded wants the administrator's key.

    Raises:
        OSError: it does not answer over HTTP.
        tritonclient.utils.InferenceServerException: it does not answer over gRPC.
    """
    access = access or Access()
    parts = urlsplit(url)
    if parts.scheme.startswith("http"):
        return read_models(await asyncio.to_thread(_fetch, f"{url.rstrip('/')}/v2/models/stats", access))
    secure, trusted = parts.scheme == "grpcs", str(access.tls.ca) if access.tls.ca else None
    async with InferenceServerClient(parts.netloc, ssl=secure, root_certificates=trusted) as client:
        headers = dict(access.headers)
        answer = await client.get_inference_statistics(as_json=True, headers=headers, client_timeout=TIMEOUT_S)
    return read_models(answer.get("model_stats", []))


def read_models(lines: Iterable[Mapping[str, Any]]) -> Statistics:
    """Triton's `model_stats`; numbers may be text, as protobuf writes them in JSON, and zeros may be missing."""
    return {str(line["name"]): _work(line) for line in lines}


def read_statistics(table: Mapping[str, Mapping[str, Any]]) -> Statistics:
    """What was written with `dataclasses.asdict`."""
    return {name: Work(**each) for name, each in table.items()}


def _fetch(url: str, access: Access) -> list[Mapping[str, Any]]:
    request = urllib.request.Request(url, headers=dict(access.headers))  # noqa: S310  the user's own server
    context = access.tls.context() if url.startswith("https") else None
    with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=context) as answer:  # noqa: S310  as above
        lines: list[Mapping[str, Any]] = json.load(answer)["model_stats"]
    return lines


def _work(line: Mapping[str, Any]) -> Work:
    spent = line.get("inference_stats", {})

    def total(name: str, figure: str) -> int:
        return int(spent.get(name, {}).get(figure, 0))

    parts = ("compute_input", "compute_infer", "compute_output")
    return Work(
        requests=total("success", "count"),
        inferences=int(line.get("inference_count", 0)),
        executions=int(line.get("execution_count", 0)),
        queue_s=total("queue", "ns") / NS_PER_S,
        compute_s=sum(total(part, "ns") for part in parts) / NS_PER_S,
        batches={
            str(batch["batch_size"]): int(batch.get("compute_infer", {}).get("count", 0))
            for batch in line.get("batch_stats", [])
        },
    )
