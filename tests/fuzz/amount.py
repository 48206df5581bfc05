"""How much of a fuzz test is done: all of it by `make fuzz`, a fortieth in the ordinary tests."""

from __future__ import annotations

import os
from typing import Final

from hypothesis import HealthCheck, settings

SHARE: Final = 1 if os.environ.get("CALLSCOPE_FUZZ") else 40


def examples(count: int) -> settings:
    """The settings of a test of so many examples in all."""
    return settings(
        max_examples=max(10, count // SHARE),
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def times(count: int) -> int:
    """How often, of so many in all."""
    return max(5, count // SHARE)
