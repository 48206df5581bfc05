"""How long the customer waits for the agent's answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from callscope.analysis.measures import Latency
from callscope.analysis.turns import held_before
from callscope.call import Role, Turn


def measure_latency(turns: Sequence[Turn], roles: Mapping[str, Role]) -> Latency | None:
    """Agent's start - customer's end at each change from customer to agent; negatives are dropped.

    A change is an agent's turn before which a customer's ended last, so that a customer's "yes" inside the agent's
    speech is none. None unless both roles are known.
    """
    if not {"agent", "customer"} <= set(roles.values()):
        return None
    changes = ((held_before(turns, turn), turn) for turn in turns if roles[turn.speaker] == "agent")
    waits_s = [
        turn.start_s - before.end_s
        for before, turn in changes
        if before and roles[before.speaker] == "customer" and turn.start_s >= before.end_s
    ]
    if not waits_s:
        return Latency(None, None, None, 0)
    return Latency(
        mean_s=float(np.mean(waits_s)),
        median_s=float(np.median(waits_s)),
        p95_s=float(np.percentile(waits_s, 95)),
        count=len(waits_s),
    )
