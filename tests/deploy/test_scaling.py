"""The rules of prometheus-adapter, asked of a real Prometheus that watches a real Triton."""

from __future__ import annotations

import asyncio
import json
import re
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from callscope.triton.transport import connect

from .manifests import KUBERNETES
from .running import Guarded, free_ports, process, required, wait_until
from .steady import silence

RULES = yaml.safe_load((KUBERNETES / "prometheus-adapter" / "values.yaml").read_text())["rules"]["custom"]
POD = "triton-0"
PATIENCE_S = 30.0


def query_of(rule: dict[str, Any]) -> str:
    """What the adapter makes of a rule when it asks for the pods of a namespace."""
    text = str(rule["metricsQuery"])
    for mark, value in (("GroupBy", "pod"), ("LabelMatchers", f'namespace="callscope",pod=~"{POD}"')):
        text = text.replace(f"<<.{mark}>>", value)
    assert not re.search(r"<<|>>", text)
    return text


def ask(place: str, query: str) -> list[dict[str, Any]]:
    """The series that answer a query."""
    url = f"http://{place}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    with urllib.request.urlopen(url, timeout=20) as answer:
        told: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return told


async def send(server: Guarded, count: int) -> None:
    """So many windows of silence at once."""
    transport = connect(f"grpc://{server.grpc}", headers=server.client_headers)
    window = silence(await transport.parameters("transcribe"))
    await asyncio.gather(*(transport.infer("transcribe", window) for _ in range(count)))
    await transport.close()


def test_both_figures_are_there_for_the_pod(guarded: Guarded, tmp_path: Path) -> None:
    prometheus = required("prometheus", "prometheus")
    (port,) = free_ports(1)
    target = {"targets": [guarded.metrics], "labels": {"namespace": "callscope", "pod": POD}}
    scrape = {"job_name": "triton", "scrape_interval": "1s", "static_configs": [target]}
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump({"scrape_configs": [scrape]}))
    place, log = f"127.0.0.1:{port}", tmp_path / "prometheus.log"
    line = [prometheus, f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data"]
    with process([*line, f"--web.listen-address={place}"], log) as running:
        wait_until(lambda: "Server is ready" in log.read_text(), running, log)
        deadline_s = time.monotonic() + PATIENCE_S
        while not all(ask(place, query_of(rule)) for rule in RULES):
            asyncio.run(send(guarded, 4))
            assert time.monotonic() < deadline_s
        found = {rule["name"]["as"]: ask(place, query_of(rule)) for rule in RULES}
    for series in found.values():
        (one,) = series
        assert one["metric"] == {"pod": POD}
    waited_s = float(found["triton_queue_seconds_per_request"][0]["value"][1])
    assert 0 < waited_s < PATIENCE_S


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["name"]["as"])
def test_a_rule_looks_for_the_metric_it_asks_for(rule: dict[str, Any]) -> None:
    name = rule["seriesQuery"].partition("{")[0]
    assert name in rule["metricsQuery"]
