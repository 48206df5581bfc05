"""What Prometheus is told: by a running command, by a file, and of what goes wrong."""

from __future__ import annotations

import asyncio
import shutil
import socket
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families as parse

from callscope.errors import ModelMissing, ServerBusy, ServerTimeout, ServerUnreachable, SettingsInvalid
from callscope.pipeline import analyze
from callscope.settings import Settings
from callscope.telemetry.exposition import exposed, write_textfile
from callscope.telemetry.metrics import PIPELINE, queued, server_of, timed_request
from callscope.triton.breaker import Breaker
from callscope.triton.endpoint import Endpoint
from callscope.triton.fake import FakeTransport
from callscope.triton.retrying import Policy, RetryingTransport
from callscope.triton.transport import connect

from ...one_batch import one_batch

if TYPE_CHECKING:
    from callscope_server.launcher import TritonServer

ANSWER = {"y": np.zeros((1, 1), np.float32)}
Change = Callable[..., float]


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.fixture
def change() -> Change:
    """By how much a sample has changed since it was first asked for in the test."""
    before = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
    }
    return lambda name, **labels: value(name, **labels) - before.get((name, tuple(sorted(labels.items()))), 0.0)


@pytest.fixture
def clip(demo_calls: Path, tmp_path: Path) -> Path:
    sound, rate_hz = soundfile.read(demo_calls / "en.wav", dtype="int16")
    soundfile.write(tmp_path / "clip.wav", sound[: 6 * rate_hz], rate_hz)
    return tmp_path / "clip.wav"


async def test_an_analysed_call_is_counted_with_its_steps_its_requests_and_its_seconds(
    triton: TritonServer, clip: Path, change: Change
) -> None:
    transport = connect(f"grpc://{triton.endpoints.grpc}")
    try:
        call = await analyze(clip, transport, Settings())
    finally:
        await transport.close()
    assert change("callscope_calls_total", outcome="analysed") == 1
    assert change("callscope_calls_total", outcome="failed") == 0
    assert change("callscope_audio_seconds_total") == pytest.approx(call.recording.duration_s)
    assert change("callscope_real_time_factor_count") == 1
    assert change("callscope_real_time_factor_sum") == pytest.approx(call.processing.rtf)
    for step in call.processing.steps:
        assert change("callscope_steps_total", step=step.name, status=step.status) == 1
        seconds = change("callscope_step_seconds_sum", step=step.name)
        assert seconds == pytest.approx(step.seconds, abs=0.05)
    assert change("callscope_request_seconds_count", model="transcribe_words") >= 1
    assert value("callscope_calls_in_progress") == 0
    assert value("callscope_requests_in_flight", server=triton.endpoints.grpc) == 0


async def test_each_recording_of_a_batch_has_one_outcome(
    triton: TritonServer, clip: Path, tmp_path: Path, change: Change
) -> None:
    shutil.copyfile(clip, tmp_path / "twin.wav")
    (tmp_path / "broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEfmt ")
    recordings = [tmp_path / name for name in ("clip.wav", "twin.wav", "broken.wav", "nowhere.wav")]
    transport = connect(f"http://{triton.endpoints.http}")
    try:
        await one_batch(recordings, transport, tmp_path / "calls.db", Settings())
    finally:
        await transport.close()
    outcomes = {
        name: change("callscope_calls_total", outcome=name) for name in ("analysed", "known", "aside", "failed")
    }
    assert outcomes == {"analysed": 1, "known": 1, "aside": 2, "failed": 0}
    assert change("callscope_errors_total", error="FileNotFoundError") == 1
    assert change("callscope_errors_total", error="AudioUnrecognised") == 1
    assert change("callscope_steps_total", step="decode", status="failed") == 1
    assert value("callscope_calls_waiting") == 0


def test_those_that_wait_are_counted_down_and_forgotten_when_nobody_asks_any_more() -> None:
    waiting = queued(range(5), 5)
    next(waiting)
    next(waiting)
    assert value("callscope_calls_waiting") == 3
    waiting.close()  # type: ignore[attr-defined]  # it is a generator
    assert value("callscope_calls_waiting") == 0


async def test_a_call_that_fails_is_counted_once_and_so_is_its_error(change: Change, clip: Path) -> None:
    with pytest.raises(ModelMissing):
        await analyze(clip, FakeTransport({}), Settings())
    assert change("callscope_calls_total", outcome="failed") == 1
    errors = sum(change("callscope_errors_total", **sample.labels) for sample in _samples("callscope_errors"))
    assert errors == 1


def _samples(name: str) -> list[object]:
    return [
        sample
        for family in REGISTRY.collect()
        if family.name == name
        for sample in family.samples
        if sample.name.endswith("_total")
    ]


async def test_a_request_that_is_sent_again_is_counted_by_the_error_before(change: Change) -> None:
    busy = ServerBusy("fake://callscope", "m", "full")
    policy = Policy(pause_s=0.0, busy_pause_s=0.0)
    transport = RetryingTransport(FakeTransport({"m": [busy, busy, ANSWER]}), policy)
    await transport.infer("m", {})
    assert change("callscope_retries_total", error="ServerBusy") == 2


def test_a_breaker_shows_as_open_until_an_answer_closes_it() -> None:
    class Wire(FakeTransport):
        url = "grpc://user:secret@breaker:8001"

    now_s = [0.0]
    endpoint = Endpoint(Wire({}), breaker=Breaker(failures=1, clock=lambda: now_s[0]))  # type: ignore[arg-type]
    shown = {"server": "breaker:8001"}
    assert value("callscope_breaker_open", **shown) == 0
    endpoint.breaker.fail()
    assert value("callscope_breaker_open", **shown) == 1
    now_s[0] = 1000.0  # half open: not to be relied on
    assert value("callscope_breaker_open", **shown) == 1
    endpoint.breaker.succeed()
    assert value("callscope_breaker_open", **shown) == 0


@pytest.mark.parametrize(
    ("error", "timed"),
    [
        (ServerBusy("a://b", "m", "full"), 0),
        (ServerUnreachable("a://b", "refused"), 0),
        (ServerTimeout("a://b", "m", 1.0), 1),
    ],
)
def test_only_what_waited_for_an_answer_has_a_time(error: Exception, timed: int, change: Change) -> None:
    with pytest.raises(type(error)), timed_request("grpc://timed:1", "m"):
        assert value("callscope_requests_in_flight", server="timed:1") == 1
        raise error
    assert change("callscope_request_seconds_count", model="m") == timed
    assert value("callscope_requests_in_flight", server="timed:1") == 0


def test_who_an_address_names_before_its_server_is_no_label() -> None:
    assert server_of("grpcs://me:hunter2@triton:8001") == "triton:8001"


def test_a_running_command_answers_prometheus(capsys: pytest.CaptureFixture[str]) -> None:
    with exposed("127.0.0.1", 0):
        url = capsys.readouterr().err.split("Metrics: ")[1].strip()
        with urllib.request.urlopen(url) as answer:
            families = {family.name: family for family in parse(answer.read().decode())}
    assert {metric._name for metric in PIPELINE} <= set(families)
    assert {"process_cpu_seconds", "process_resident_memory_bytes"} <= set(families)
    assert [name for name in families if name.endswith("_created")] == []
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url)


def test_a_reader_that_hangs_up_disturbs_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    with exposed("127.0.0.1", 0):
        port = int(capsys.readouterr().err.rsplit(":", 1)[1].split("/")[0])
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", port)) as reader:
                reader.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
                reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert answer.status == 200
    assert capsys.readouterr().err == ""


def test_a_port_that_is_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsInvalid, match=f"Port {port} on 127.0.0.1 is in use"), exposed("127.0.0.1", port):
            pass


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_a_host_that_is_not_this_machine_is_one_sentence(host: str) -> None:
    with pytest.raises(SettingsInvalid, match=f"{host} is no address of this machine"), exposed(host, 0):
        pass


def test_a_file_holds_what_node_exporter_collects(tmp_path: Path) -> None:
    write_textfile(tmp_path / "callscope.prom")
    families = {family.name for family in parse((tmp_path / "callscope.prom").read_text("utf-8"))}
    assert {metric._name for metric in PIPELINE} <= families
    assert [one.name for one in tmp_path.iterdir()] == ["callscope.prom"]


def test_labels_have_few_values() -> None:
    labels = {name for metric in PIPELINE for name in metric._labelnames}
    assert labels == {"outcome", "step", "status", "model", "server", "error", "result"}


async def test_an_interrupted_call_is_no_longer_in_progress(clip: Path, change: Change) -> None:
    asked = asyncio.Event()

    class Hangs(FakeTransport):
        async def version(self, model: str) -> str:
            return await self.parameters(model)  # type: ignore[return-value]  # it never returns

        async def parameters(self, model: str) -> dict[str, str]:
            asked.set()
            await asyncio.Event().wait()
            return {}

    task = asyncio.create_task(analyze(clip, Hangs({}), Settings()))
    await asyncio.wait_for(asked.wait(), 30)
    assert value("callscope_calls_in_progress") == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert value("callscope_calls_in_progress") == 0
    assert change("callscope_calls_total", outcome="failed") == 0
