"""docs/watching.md tells of every metric what the code says, and of nothing else."""

from __future__ import annotations

import re
from typing import get_args

from callscope.call import StepStatus
from callscope.settings import Settings
from callscope.telemetry.metrics import PIPELINE, Outcome

from .markdown import ROOT

PAGE = (ROOT / "docs" / "watching.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(callscope_\w+)` \| (\w+) \|([^|]*)\| (.*) \|$", re.MULTILINE)


def test_the_table_of_metrics_is_what_the_code_has() -> None:
    told = {name: (kind, re.findall(r"\w+", labels), text) for name, kind, labels, text in ROW.findall(PAGE)}
    suffixes = {"counter": "_total"}
    have = {
        f"{metric._name}{suffixes.get(metric._type, '')}": (
            metric._type,
            list(metric._labelnames),
            metric._documentation,
        )
        for metric in PIPELINE
    }
    assert told == have


def test_every_value_of_outcome_and_status_is_named() -> None:
    assert [value for value in (*get_args(Outcome), *get_args(StepStatus)) if f"`{value}`" not in PAGE] == []


def test_every_setting_of_the_page_exists_and_none_of_logging_is_left_out() -> None:
    named = set(re.findall(r"`(log_\w+)`", PAGE))
    assert named == {name for name in Settings.model_fields if name.startswith("log_")}
