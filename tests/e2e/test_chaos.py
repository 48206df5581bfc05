"""A batch while everything it needs is killed; `make chaos` does more of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.chaos.__main__ import weather
from bench.chaos.plan import Blow, Plan

from callscope_server.environment import Environment

from ..postgres_server import find_programs, let_pass

PLAN = Plan(calls=24, seed=3, servers=3, databases=1, batches=2)


def test_nothing_is_lost_doubled_or_corrupt_whatever_breaks(
    tmp_path: Path, server_environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    if find_programs() is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    monkeypatch.setenv("CALLSCOPE_SERVER_ENVIRONMENT", str(server_environment.path))
    let_pass(tmp_path)
    storm, verdict = weather(PLAN, tmp_path)
    assert verdict.is_whole, verdict
    assert verdict.results == PLAN.calls
    assert storm.late == 0
    assert storm.dealt[Blow.SERVER] == PLAN.servers
    assert storm.dealt[Blow.DATABASE] == PLAN.databases
    assert storm.dealt[Blow.BATCH] == PLAN.batches
    assert storm.said_full == storm.dealt[Blow.FULL]
