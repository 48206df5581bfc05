"""Minutes of speech without a pause: every window is cut inside it, and no word is lost or doubled there."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from .running import ROOT, TIMEOUT_S, environment

MINUTES = {"en": 10, "ja": 4, "ko": 4}
MOST_ERRORS_AT_CUTS = {"en": 0.16, "ja": 0.13, "ko": 0.05}
"""Cut at the quietest place of the window's last quarter, with nothing heard beyond it: 0.22, 0.22 and 0.10."""
MOST_MORE_THAN_ELSEWHERE = 0.05
MOST_MEMORY_MIB = 300


@pytest.fixture(scope="module", params=MINUTES)
def row(request: pytest.FixtureRequest, server: tuple[str, str]) -> dict[str, Any]:
    """What `bench/long_file.py` finds, in the command line's own process and with the tests' server."""
    options = ["--language", request.param, "--minutes", str(MINUTES[request.param]), "--kind", "continuous", "--json"]
    command = [sys.executable, "-m", "bench.long_file", *options, *server]
    ended = subprocess.run(
        command, cwd=ROOT, env=environment("long", {}), capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_words_at_the_cuts_are_as_good_as_others(row: dict[str, Any]) -> None:
    assert row["cuts"] >= 60 * row["minutes"] / 8, "windows are 8 s, and speech does not pause"
    near, elsewhere = rate(row["near"]), rate(row["elsewhere"])
    assert near <= MOST_ERRORS_AT_CUTS[row["language"]]
    assert near <= elsewhere + MOST_MORE_THAN_ELSEWHERE


def test_the_client_stays_small(row: dict[str, Any]) -> None:
    assert 0 < row["peak_mib"] <= MOST_MEMORY_MIB


def rate(tally: dict[str, Any]) -> float:
    """Lost, wrong and added words (characters in Japanese and Korean) over those that were said."""
    return float(tally["lost"] + tally["wrong"] + tally["added"]) / float(tally["units"])
