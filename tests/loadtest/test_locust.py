"""Locust over the locustfile, as a user runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from loadtest.places import ROOT, environment
from loadtest.samples import Results, read_results

if TYPE_CHECKING:
    from callscope_server.launcher import TritonServer

pytest.importorskip("configargparse", reason="Locust is not installed: requirements/dev.txt has it")
LOCUST = (sys.executable, "-m", "locust", "--headless", "--only-summary")


def run(*arguments: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
    command = [*LOCUST, *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=timeout_s, check=False
    )


def both(triton: TritonServer) -> str:
    return f"grpc://{triton.endpoints.grpc},http://{triton.endpoints.http}"


def loaded(triton: TritonServer, calls: Path, results: Path, *arguments: str) -> tuple[Results, str]:
    ended = run(*arguments, "--host", both(triton), "--calls", str(calls), "--results", str(results))
    assert ended.returncode == 0, ended.stderr
    return read_results(results), ended.stderr


def test_every_kind_of_user_is_answered_over_both_protocols(
    triton: TritonServer, short_calls: Path, tmp_path: Path
) -> None:
    results, told = loaded(
        triton,
        short_calls,
        tmp_path / "results.jsonl",
        *("-f", "loadtest/locustfile.py", "-u", "16", "-r", "16", "-t", "4s", "--arrivals", "constant"),
    )
    assert {sample.kind for sample in results.samples} == {"transcribe", "punctuate", "sentiment", "call", "live"}
    assert {sample.protocol for sample in results.samples} == {"grpc", "http"}
    assert not any(sample.error for sample in results.samples)
    assert f"{len(results.samples)}     0(0.00%)" in told  # Locust's own table has every one of them


def test_a_shape_has_its_stages(triton: TritonServer, short_calls: Path, tmp_path: Path) -> None:
    files = "loadtest/locustfile.py,loadtest/shapes/spike.py"
    shape = ("--peak", "10", "--duration", "5", "--rate", "3")
    results, _ = loaded(triton, short_calls, tmp_path / "results.jsonl", "-f", files, "Sentiment", *shape)
    by_sources = {sample.sources: sample.due_s for sample in results.samples}
    assert {3, 10} <= set(by_sources)


def test_a_search_for_live_calls_says_what_it_found(triton: TritonServer, short_calls: Path, tmp_path: Path) -> None:
    files = "loadtest/locustfile.py,loadtest/shapes/live.py"
    shape = ("--peak", "1", "--duration", "1.5", "--target", "0.001", "--timeout", "5")  # which nothing meets
    results, told = loaded(triton, short_calls, tmp_path / "results.jsonl", "-f", files, "Live", *shape)
    assert "1 calls: " in told
    assert "It carries 0 calls in progress." in told
    assert {sample.kind for sample in results.samples} == {"live"}


def test_a_server_that_is_not_there_is_told_in_a_sentence(short_calls: Path) -> None:
    ended = run("-f", "loadtest/locustfile.py", "-t", "2s", "--host", "grpc://127.0.0.1:1", "--calls", str(short_calls))
    assert ended.returncode == 4
    assert "No Triton answers at grpc://127.0.0.1:1" in ended.stderr
    assert "Traceback" not in ended.stderr
