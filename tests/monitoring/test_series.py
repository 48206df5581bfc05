"""Every expression of the dashboards and the rules has series, from a real Prometheus that asks real servers."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

import pytest
import yaml

from .prometheus_server import CONFIG, PrometheusServer

GRAFANA = CONFIG.parent / "grafana"
PATIENCE_S = 90.0


def dashboards() -> list[tuple[str, str]]:
    """Each expression with where it is."""
    return [
        (f"{file.stem}: {panel['title']}", target["expr"].replace("$instance", ".*"))
        for file in sorted((GRAFANA / "dashboards").glob("*.json"))
        for panel in json.loads(file.read_text("utf-8"))["panels"]
        for target in panel.get("targets", [])
    ]


def recorded() -> list[tuple[str, str]]:
    """Each recording rule and what it is made of."""
    groups = [
        group
        for file in sorted(CONFIG.glob("rules/*.yml"))
        for group in yaml.safe_load(file.read_text("utf-8"))["groups"]
    ]
    return [
        (rule["record"], expression)
        for group in groups
        for rule in group["rules"]
        if "record" in rule
        for expression in (rule["record"], rule["expr"])
    ]


def test_every_expression_has_series(watching: PrometheusServer) -> None:
    wanted = dict(dashboards()) | dict(recorded())
    left = [*dashboards(), *recorded()]
    until = time.monotonic() + PATIENCE_S
    while left and time.monotonic() < until:
        left = [(place, expression) for place, expression in left if not watching.values(expression)]
        time.sleep(0.5)
    assert left == []
    assert len(wanted) >= 50


def test_alerts_fire_while_the_server_is_overloaded(watching: PrometheusServer) -> None:
    wanted, until = {"TritonRejects", "TritonQueueShare", "CallsDegraded"}, time.monotonic() + PATIENCE_S
    while not wanted <= watching.firing() and time.monotonic() < until:
        time.sleep(0.5)
    assert wanted <= watching.firing()
    assert "TritonAway" not in watching.firing()


def test_alerts_look_at_what_is_recorded() -> None:
    names = {name for name, _ in recorded()}
    used = set(re.findall(r"(?:triton|callscope):\w+(?::\w+)?", (CONFIG / "rules" / "alerts.yml").read_text("utf-8")))
    assert used <= names
    assert {name for name in names if name.startswith("callscope:target:")} <= used


def test_dashboards_are_what_the_table_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(GRAFANA))
    sys.modules.pop("render", None)
    import render  # noqa: PLC0415  a script beside its table

    there = {file.name: file.read_text("utf-8") for file in (GRAFANA / "dashboards").glob("*.json")}
    assert there == render.rendered(), "run python deploy/grafana/render.py"


def test_panels_lie_beside_and_below_one_another_and_say_what_they_show() -> None:
    for file in sorted((GRAFANA / "dashboards").glob("*.json")):
        made = json.loads(file.read_text("utf-8"))
        taken: set[tuple[int, int]] = set()
        for panel in made["panels"]:
            place = panel["gridPos"]
            cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
            assert not cells & taken, panel["title"]
            assert max(x for x, _ in cells) < 24
            taken |= cells
            if panel["type"] != "row":
                assert panel["description"]
                assert panel["fieldConfig"]["defaults"]["unit"]
        numbers = [panel["id"] for panel in made["panels"]]
        assert len(set(numbers)) == len(numbers)


def test_every_alert_has_its_place_in_the_guide() -> None:
    guide = (CONFIG.parents[1] / "docs" / "monitoring.md").read_text("utf-8")
    alerts = yaml.safe_load((CONFIG / "rules" / "alerts.yml").read_text("utf-8"))["groups"]
    for rule in (rule for group in alerts for rule in group["rules"]):
        assert f"### {rule['alert']}\n" in guide
        assert f"docs/monitoring.md#{rule['alert'].lower()}" in rule["annotations"]["action"]
        assert rule["labels"]["severity"] in {"warning", "critical"}


def test_grafana_finds_the_folder_of_dashboards() -> None:
    provider = yaml.safe_load((GRAFANA / "provisioning/dashboards/callscope.yml").read_text("utf-8"))["providers"][0]
    assert Path(provider["options"]["path"]).name == "dashboards"
    source = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text("utf-8"))["datasources"][0]
    assert source["type"] == "prometheus"
