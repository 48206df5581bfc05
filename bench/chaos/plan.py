"""What is done to a batch, and when: drawn from a seed, due by how many results there are."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum


class Blow(StrEnum):
    """What is done."""

    SERVER = "tritonserver killed"
    DATABASE = "database restarted"
    BATCH = "batch killed"
    FULL = "disk full"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of it.

    Attributes:
        calls: recordings that have a result at the end.
        seed: of all that is random.
        servers: how often tritonserver is killed.
        databases: how often the database is restarted, some of the times without a word.
        batches: how often the batch itself is killed, and run again.
        full: how often the database's disk is full until the batch gives up.
    """

    calls: int
    seed: int
    servers: int = 20
    databases: int = 5
    batches: int = 10
    full: int = 1


LAST = 0.9
"""The share of results after which no more is done, so that nothing comes too late."""


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """A blow, and how many results there are when it falls."""

    results: int
    blow: Blow


def due(plan: Plan, chance: random.Random) -> list[Due]:
    """All of a plan's blows in their order."""
    counts = {
        Blow.SERVER: plan.servers,
        Blow.DATABASE: plan.databases,
        Blow.BATCH: plan.batches,
        Blow.FULL: plan.full,
    }
    last = max(1, int(LAST * plan.calls))
    return sorted(Due(chance.randint(1, last), blow) for blow, count in counts.items() for _ in range(count))
