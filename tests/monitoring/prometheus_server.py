"""A real Prometheus over the project's rules, asking what a test names, every second."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

CONFIG = Path(__file__).parents[2] / "deploy" / "prometheus"
WAITS_S = 60.0


def program(name: str) -> str:
    """The path of `prometheus` or `promtool`; the test is skipped where it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian: apt-get install prometheus)")
    return found


class PrometheusServer:
    """Prometheus with deploy/prometheus, but for what it asks, how often, and how long an alert waits.

    Args:
        folder: an empty one.
        targets: the addresses of each of prometheus.yml's jobs.
    """

    def __init__(self, folder: Path, targets: Mapping[str, Sequence[str]]) -> None:
        shutil.copytree(CONFIG, folder / "config")
        config = folder / "config" / "prometheus.yml"
        text = re.sub(r"_interval: \w+", "_interval: 1s", config.read_text("utf-8"))
        for job, places in targets.items():
            text = re.sub(rf"(job_name: {job}\n(?:.*\n)*?.*targets: )\[.*\]", rf"\g<1>{json.dumps(list(places))}", text)
        config.write_text(text, encoding="utf-8")
        alerts = folder / "config" / "rules" / "alerts.yml"
        alerts.write_text(re.sub(r"for: \w+", "for: 1s", alerts.read_text("utf-8")), encoding="utf-8")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._address = f"127.0.0.1:{free.getsockname()[1]}"
        options = [f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
        options.append(f"--web.listen-address={self._address}")
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    "setpriv",
                    "--pdeathsig=KILL",
                    program("prometheus"),
                    *options,
                ],
                stdout=log,
                stderr=log,
            )
        self._wait()

    def values(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression has now."""
        result: list[dict[str, Any]] = self._ask("query", query=expression)["result"]
        return result

    def firing(self) -> set[str]:
        """The names of the alerts that fire."""
        return {one["labels"]["alertname"] for one in self._ask("alerts")["alerts"] if one["state"] == "firing"}

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()

    def _ask(self, what: str, **parameters: str) -> Any:
        asked = f"http://{self._address}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return json.load(answer)["data"]

    def _wait(self) -> None:
        until = time.monotonic() + WAITS_S
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"http://{self._address}/-/ready", timeout=5):
                    return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("Prometheus did not start.")
