"""What a server's models have done so far, and between two moments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from typing import Any

NS_PER_S = 1e9
PARTS = ("queue", "compute_input", "compute_infer", "compute_output")


@dataclass(frozen=True, slots=True)
class ModelStatistics:
    """The work of a model, all its versions together, since its server began.

    Attributes:
        requests: how many it answered.
        inferences: how many inputs it worked on, batched or not.
        executions: how many times it ran.
        total_s: seconds of all requests, from their arrival to their answer.
        queue_s: of these, waiting.
        input_s: getting the inputs ready.
        infer_s: in the model itself.
        output_s: taking the outputs out.
    """

    requests: int = 0
    inferences: int = 0
    executions: int = 0
    total_s: float = 0.0
    queue_s: float = 0.0
    input_s: float = 0.0
    infer_s: float = 0.0
    output_s: float = 0.0

    def __add__(self, other: ModelStatistics) -> ModelStatistics:
        """The work of both."""
        return ModelStatistics(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))

    def __sub__(self, before: ModelStatistics) -> ModelStatistics:
        """The work since then."""
        return ModelStatistics(*(mine - its for mine, its in zip(astuple(self), astuple(before), strict=True)))

    @property
    def mean_batch(self) -> float | None:
        """Inputs a run; None for what does not run itself, as an ensemble."""
        return self.inferences / self.executions if self.executions else None


Statistics = Mapping[str, ModelStatistics]


def statistics_of(models: Iterable[Mapping[str, Any]]) -> dict[str, ModelStatistics]:
    """By name, from what Triton calls `model_stats`, over either protocol."""
    found: dict[str, ModelStatistics] = {}
    for model in models:
        found[model["name"]] = found.get(model["name"], ModelStatistics()) + _statistics(model)
    return found


def together(servers: Iterable[Statistics]) -> dict[str, ModelStatistics]:
    """The work of several servers."""
    found: dict[str, ModelStatistics] = {}
    for server in servers:
        for name, one in server.items():
            found[name] = found.get(name, ModelStatistics()) + one
    return found


def since(before: Statistics, after: Statistics) -> dict[str, ModelStatistics]:
    """The work between two moments, of the models that had any."""
    work = {name: one - before.get(name, ModelStatistics()) for name, one in after.items()}
    return {name: one for name, one in work.items() if one.requests > 0}


def _statistics(model: Mapping[str, Any]) -> ModelStatistics:
    kept = model.get("inference_stats", {})

    def seconds(name: str) -> float:
        return int(kept.get(name, {}).get("ns", 0)) / NS_PER_S

    return ModelStatistics(
        int(kept.get("success", {}).get("count", 0)),
        int(model.get("inference_count", 0)),
        int(model.get("execution_count", 0)),
        seconds("success"),
        *map(seconds, PARTS),
    )
