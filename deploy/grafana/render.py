"""Makes dashboards/*.json for Grafana out of panels.toml.

python deploy/grafana/render.py
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SCHEMA_VERSION = 41
"""Grafana 12's; later ones read it too."""
SOURCE = {"type": "prometheus", "uid": "${source}"}
ACROSS, WIDTH, HEIGHT = 24, 6, 8
LINE = {
    "matcher": {"id": "byName", "options": "target"},
    "properties": [
        {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [8, 8]}},
        {"id": "color", "value": {"mode": "fixed", "fixedColor": "semi-dark-red"}},
    ],
}


def dashboard(name: str, described: Mapping[str, Any]) -> dict[str, Any]:
    """A dashboard as Grafana reads it from a file."""
    return {
        "uid": f"callscope-{name}",
        "title": described["title"],
        "description": described["about"],
        "tags": ["callscope"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [_source(), _instances(described)]},
        "panels": list(_placed(described["panels"])),
    }


def rendered() -> dict[str, str]:
    """The files of `dashboards`, by name."""
    described = tomllib.loads((HERE / "panels.toml").read_text("utf-8"))
    return {f"{name}.json": json.dumps(dashboard(name, one), indent=2) + "\n" for name, one in described.items()}


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus", "hide": 0}


def _instances(described: Mapping[str, Any]) -> dict[str, Any]:
    query = f"label_values({described['of']}, {described['by']})"
    return {
        "name": described["by"],
        "label": "From",
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": "values"},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _placed(described: list[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The panels with their places, four side by side, under the titles of their rows."""
    x = y = number = 0
    for one in described:
        if "row" in one:
            y += HEIGHT if x else 0
            x, number = 0, number + 1
            place = {"x": 0, "y": y, "w": ACROSS, "h": 1}
            yield {"id": number, "type": "row", "title": one["row"], "collapsed": False, "gridPos": place, "panels": []}
            y += 1
        number += 1
        yield _panel(number, one) | {"gridPos": {"x": x, "y": y, "w": WIDTH, "h": HEIGHT}}
        x += WIDTH
        if x == ACROSS:
            x, y = 0, y + HEIGHT


def _panel(number: int, one: Mapping[str, Any]) -> dict[str, Any]:
    series = [*one["series"], *([{"expr": one["target"], "legend": "target"}] if "target" in one else [])]
    return {
        "id": number,
        "type": "timeseries",
        "title": one["title"],
        "description": one["about"],
        "datasource": SOURCE,
        "fieldConfig": {
            "defaults": {"unit": one["unit"], "min": 0, "custom": {"lineWidth": 1, "fillOpacity": 8}},
            "overrides": [LINE] if "target" in one else [],
        },
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [
            {"refId": chr(ord("A") + at), "datasource": SOURCE, "expr": each["expr"], "legendFormat": each["legend"]}
            for at, each in enumerate(series)
        ],
    }


def main() -> None:
    """Write the files."""
    for name, content in rendered().items():
        (HERE / "dashboards" / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
