"""Commands that are watched: their logs, metrics and errors, as who runs them gets them."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import soundfile
from prometheus_client.parser import text_string_to_metric_families as parse

from .running import Cli


def test_a_batch_leaves_a_log_a_file_of_metrics_and_counted_errors(
    callscope: Cli, server: tuple[str, str], call: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    sound, rate_hz = soundfile.read(call, dtype="int16")
    soundfile.write(folder / "good.wav", sound[: 4 * rate_hz], rate_hz)
    (folder / "broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEfmt ")
    places = ("--store", tmp_path / "calls.db", "--log-file", tmp_path / "log", "--metrics-textfile", tmp_path / "prom")
    ended = callscope("batch", folder, *places, *server, "--log-format", "json", env={"CALLSCOPE_METRICS_PORT": "0"})
    assert ended.code == 3
    assert ended.left == ()
    assert all(json.loads(line)["timestamp"] for line in ended.stderr.splitlines())
    families = {family.name: family for family in parse((tmp_path / "prom").read_text("utf-8"))}
    outcomes = {sample.labels["outcome"]: sample.value for sample in families["callscope_calls"].samples}
    assert (outcomes["analysed"], outcomes["aside"], outcomes["failed"]) == (1, 1, 0)
    by_log, by_list = (
        json.loads(callscope("errors", file, "--json").stdout) for file in (tmp_path / "log", "callscope-aside.jsonl")
    )
    assert [(row["name"], row["count"]) for row in by_log] == [("AudioUnrecognised", 1)]
    assert [(row["name"], row["count"]) for row in by_list] == [("AudioUnrecognised", 1)]


def test_a_metrics_port_that_is_taken_is_one_sentence(callscope: Cli, server: tuple[str, str], call: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = callscope("analyze", call, *server, "--metrics-port", port)
    ended.failed_with(2, f"Port {port}", "--metrics-port")


def test_a_collector_that_is_no_address_is_one_sentence(callscope: Cli, call: Path) -> None:
    callscope("analyze", call, "--otlp-endpoint", "localhost").failed_with(2, "--otlp-endpoint", "http://HOST:PORT")
    callscope("serve", "--trace-to", "localhost").failed_with(2, "--trace-to", "http://HOST:PORT")


def test_a_log_that_cannot_be_written_is_one_sentence(callscope: Cli, call: Path) -> None:
    callscope("analyze", call, "--log-file", "nowhere/log").failed_with(3, "nowhere/log", "--log-file")
