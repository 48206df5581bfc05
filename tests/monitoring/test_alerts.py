"""Each alert fires on what it is about, after its time, and none where all is well: asked of promtool."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from .prometheus_server import CONFIG, program

FOREVER = "x60"
BUSY = 'nv_inference_request_success{instance="a",model="m"}'
WELL = {
    'up{job="triton",instance="a"}': f"1{FOREVER}",
    BUSY: f"0+100{FOREVER}",
    'nv_inference_request_failure{instance="a",model="m",reason="REJECTED"}': f"0{FOREVER}",
    'nv_inference_request_failure{instance="a",model="m",reason="BACKEND"}': f"0{FOREVER}",
    'nv_inference_request_duration_us{instance="a",model="m"}': f"0+1000000{FOREVER}",
    'nv_inference_queue_duration_us{instance="a",model="m"}': f"0+100000{FOREVER}",
    'nv_inference_pending_request_count{instance="a",model="m"}': f"3{FOREVER}",
    'nv_gpu_memory_used_bytes{instance="a",gpu_uuid="g"}': f"5{FOREVER}",
    'nv_gpu_memory_total_bytes{instance="a",gpu_uuid="g"}': f"10{FOREVER}",
    'callscope_request_seconds_bucket{model="m",le="1"}': f"0+100{FOREVER}",
    'callscope_request_seconds_bucket{model="m",le="30"}': f"0+100{FOREVER}",
    'callscope_request_seconds_bucket{model="m",le="+Inf"}': f"0+100{FOREVER}",
    'callscope_request_seconds_count{model="m"}': f"0+100{FOREVER}",
    'callscope_real_time_factor_bucket{le="0.1"}': f"0+10{FOREVER}",
    'callscope_real_time_factor_bucket{le="2"}': f"0+10{FOREVER}",
    'callscope_real_time_factor_bucket{le="+Inf"}': f"0+10{FOREVER}",
    'callscope_breaker_open{server="s"}': f"0{FOREVER}",
    'callscope_calls_total{outcome="analysed"}': f"0+10{FOREVER}",
    'callscope_calls_total{outcome="failed"}': f"0{FOREVER}",
    "callscope_calls_waiting": f"100{FOREVER}",
    'process_resident_memory_bytes{job="callscope",instance="b"}': f"1000000{FOREVER}",
}
ILL = {
    "TritonAway": {'up{job="triton",instance="a"}': f"0{FOREVER}"},
    "TritonQueueShare": {'nv_inference_queue_duration_us{instance="a",model="m"}': f"0+800000{FOREVER}"},
    "TritonRejects": {'nv_inference_request_failure{instance="a",model="m",reason="REJECTED"}': f"0+5{FOREVER}"},
    "TritonRejects, in an ensemble": {
        'nv_inference_request_failure{instance="a",model="m",reason="OTHER"}': f"0+5{FOREVER}"
    },
    "TritonFails": {'nv_inference_request_failure{instance="a",model="m",reason="BACKEND"}': f"0+5{FOREVER}"},
    "TritonModelStuck": {BUSY: f"100{FOREVER}"},
    "GpuMemory": {'nv_gpu_memory_used_bytes{instance="a",gpu_uuid="g"}': f"9.8{FOREVER}"},
    "RequestsSlow": {'callscope_request_seconds_bucket{model="m",le="1"}': f"0{FOREVER}"},
    "CallsSlow": {'callscope_real_time_factor_bucket{le="0.1"}': f"0{FOREVER}"},
    "RetriesMany": {'callscope_retries_total{error="ServerBusy"}': f"0+50{FOREVER}"},
    "BreakerOpen": {'callscope_breaker_open{server="s"}': f"1{FOREVER}"},
    "CallsDegraded": {'callscope_degraded_calls_total{step="sentiment"}': f"0+5{FOREVER}"},
    "CallsLost": {'callscope_calls_total{outcome="failed"}': f"0+5{FOREVER}"},
    "BatchStands": {'callscope_calls_total{outcome="analysed"}': f"100{FOREVER}"},
    "BatchMemory": {'process_resident_memory_bytes{job="callscope",instance="b"}': f"5000000000{FOREVER}"},
}


def told(series: dict[str, str], firing: list[str], at: str) -> dict[str, object]:
    """A case of promtool's: series every half minute, and the alerts that fire at some moment."""
    return {
        "interval": "30s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": at,
                "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in firing],
            }
        ],
    }


def check(folder: Path, cases: list[dict[str, object]]) -> None:
    file = folder / "cases.json"
    rules = [str(rule) for rule in sorted(CONFIG.glob("rules/*.yml"))]
    file.write_text(json.dumps({"rule_files": rules, "evaluation_interval": "30s", "tests": cases}))
    asked = subprocess.run(
        [program("promtool"), "test", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert asked.returncode == 0, asked.stdout + asked.stderr


def test_none_fires_where_all_is_well(tmp_path: Path) -> None:
    check(tmp_path, [told(WELL, [], "29m")])


def test_each_fires_alone_on_what_it_is_about_and_not_at_once(tmp_path: Path) -> None:
    check(
        tmp_path,
        [told(WELL | series, [name.partition(",")[0]], "29m") for name, series in ILL.items()]
        + [told(WELL | series, [], "30s") for series in ILL.values()],
    )


def test_every_alert_has_such_a_case() -> None:
    text = (CONFIG / "rules" / "alerts.yml").read_text("utf-8")
    named = {line.split()[-1] for line in text.splitlines() if "- alert:" in line}
    assert {name.partition(",")[0] for name in ILL} == named


@pytest.mark.parametrize("what", [["config", "prometheus.yml"], ["rules", "rules/*.yml"]])
def test_promtool_finds_no_fault(what: list[str]) -> None:
    kind, names = what
    files = [str(file) for file in sorted(CONFIG.glob(names))]
    asked = subprocess.run([program("promtool"), "check", kind, *files], capture_output=True, text=True, check=False)
    assert asked.returncode == 0, asked.stdout + asked.stderr
