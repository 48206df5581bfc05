"""A run taken apart: one step for each number of sources that were at work."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loadtest.samples import Results, Sample, Summary, summarize
from loadtest.served import Statistics, Work, difference

ENOUGH = 10
"""Requests without which a step says nothing."""


@dataclass(frozen=True, slots=True)
class Step:
    """Requests of one kind while as many sources sent them.

    Attributes:
        sources: how many.
        offered_per_s: requests that were due, a second.
        summary: what became of them.
        work: what each model did meanwhile, by the server's own count.
    """

    sources: int
    offered_per_s: float
    summary: Summary
    work: Mapping[str, Work]


def steps(results: Results, kind: str, settling: float = 0.25) -> list[Step]:
    """The steps of a kind, by their number of sources.

    Args:
        results: of the run.
        kind: of request.
        settling: the share of a step's time that is left out at its start.
    """
    of_kind = [sample for sample in results.samples if sample.kind == kind]
    groups = {count: [s for s in of_kind if s.sources == count] for count in sorted({s.sources for s in of_kind})}
    return [step for count, group in groups.items() if (step := _step(count, group, results.statistics, settling))]


def carried(found: Sequence[Step], target_s: float) -> Step | None:
    """The step of the most sources, below all that fail, in which 95 % of all requests were answered in time."""
    failing = min((step.sources for step in found if not _passes(step, target_s)), default=math.inf)
    return max((step for step in found if step.sources < failing), key=lambda step: step.sources, default=None)


def between(statistics: Sequence[tuple[float, Statistics]], from_s: float, to_s: float) -> dict[str, Work]:
    """What each model did from about one time to about another; nothing where there are no readings."""
    if not statistics:
        return {}
    before = min(statistics, key=lambda reading: abs(reading[0] - from_s))[1]
    after = min(statistics, key=lambda reading: abs(reading[0] - to_s))[1]
    return {name: work for name, work in difference(after, before).items() if work.requests}


def _step(
    count: int, group: Sequence[Sample], statistics: Sequence[tuple[float, Statistics]], settling: float
) -> Step | None:
    first_s, last_s = min(s.due_s for s in group), max(s.due_s for s in group)
    from_s = first_s + settling * (last_s - first_s)
    kept = [sample for sample in group if sample.due_s >= from_s]
    if len(kept) < ENOUGH or last_s <= from_s:
        return None
    return Step(count, (len(kept) - 1) / (last_s - from_s), summarize(kept), between(statistics, from_s, last_s))


def _passes(step: Step, target_s: float) -> bool:
    return step.summary.p95_s <= target_s and step.summary.error_rate == 0.0
