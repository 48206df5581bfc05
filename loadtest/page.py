"""A plan's outcome in a folder: index.html with picture and tables, load.png, load.svg, figures.json."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment

from loadtest.figures import Found
from loadtest.steps import Step
from loadtest.verdict import Row

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Load test</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; color: #1f2933; max-width: 1100px; margin: 2rem auto; padding: 0 1rem }
  img { width: 100%; height: auto }
  table { border-collapse: collapse; margin: 1rem 0 }
  th, td { padding: .25rem .8rem; border-bottom: 1px solid #e4e7eb; text-align: right }
  th:first-child, td:first-child { text-align: left }
  .over { color: #9b2c2c; font-weight: 600 }
</style>
<h1>Load test</h1>
<p>{{ title }}</p>
<img src="load.svg" alt="Latency against load, queue and compute time, batches, calls in progress; tables below">
<h2>Verdict</h2>
<table>
<tr><th>figure</th><th>measured</th><th>limit</th><th></th></tr>
{% for row in rows -%}
<tr{% if not row.kept %} class="over"{% endif %}><td>{{ row.limit.figure }}</td>
<td>{{ "%.4g"|format(row.measured) }}</td><td>{{ row.limit }}</td><td>{{ "kept" if row.kept else "OVER" }}</td></tr>
{% endfor -%}
</table>
{% for heading, found in (("Windows due, a second", ramp), ("Calls in progress", live)) -%}
<h2>{{ heading }}</h2>
<table>
<tr><th>sources</th><th>due a second</th><th>requests</th><th>p50 ms</th><th>p95 ms</th><th>p99 ms</th><th>failed</th>
<th>generator late, p95 ms</th></tr>
{% for step in found -%}
<tr><td>{{ step.sources }}</td><td>{{ "%.2f"|format(step.offered_per_s) }}</td><td>{{ step.summary.count }}</td>
{% for at in (step.summary.p50_s, step.summary.p95_s, step.summary.p99_s) -%}
<td>{{ "%.0f"|format(at * 1000) }}</td>
{%- endfor %}
<td>{{ "%.1f %%"|format(step.summary.error_rate * 100) }}</td>
<td>{{ "%.0f"|format(step.summary.lag_p95_s * 1000) }}</td></tr>
{% endfor -%}
</table>
{% endfor -%}
<h2>All figures</h2>
<table>
{% for name, value in figures.items() -%}
<tr><td>{{ name }}</td><td>{{ "%.4g"|format(value) }}</td></tr>
{% endfor -%}
</table>
</html>
"""


def write(folder: Path, found: Found, figures: Mapping[str, float], rows: Sequence[Row], title: str) -> None:
    """Write index.html and figures.json; the pictures are `picture.save`'s."""
    page = Environment(autoescape=True).from_string(PAGE)
    html = page.render(title=title, rows=rows, ramp=found.ramp, live=found.live, figures=figures)
    (folder / "index.html").write_text(html, encoding="utf-8")
    plain = {name: None if math.isnan(value) else value for name, value in figures.items()}
    verdict = {row.limit.figure: row.kept for row in rows}
    told: dict[str, object] = {"about": title, "figures": plain, "kept": verdict}
    told |= {"ramp": [_plain(step) for step in found.ramp], "live": [_plain(step) for step in found.live]}
    (folder / "figures.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _plain(step: Step) -> dict[str, object]:
    summary = step.summary
    latencies_s = {"p50_s": summary.p50_s, "p95_s": summary.p95_s, "p99_s": summary.p99_s}
    work = {
        name: {"mean_batch": each.mean_batch, "queue_s": each.queue_each_s, "compute_s": each.compute_each_s}
        for name, each in step.work.items()
    }
    return {
        "sources": step.sources,
        "due_per_s": step.offered_per_s,
        "requests": summary.count,
        **{name: None if math.isnan(value) else value for name, value in latencies_s.items()},
        "error_rate": summary.error_rate,
        "models": work,
    }
