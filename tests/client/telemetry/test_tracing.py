"""A call's spans at a collector, and Triton's own among them."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from callscope.errors import ServerBusy
from callscope.pipeline import analyze
from callscope.settings import Settings
from callscope.telemetry import spans
from callscope.telemetry.logs import configure_logging
from callscope.telemetry.spans import propagated, span
from callscope.telemetry.tracing import traced, traces_url
from callscope.triton.transport import connect
from callscope_server.launcher import TritonServer

from .collector import Collector, collecting

if TYPE_CHECKING:
    from callscope_server.environment import Environment

TOKENS = np.ones((1, 32), np.int64)


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
def traced_triton(
    collector: Collector, repository: Path, server_environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TritonServer]:
    """A tritonserver that sends its spans to the collector."""
    log_file = tmp_path_factory.mktemp("triton") / "triton.log"
    trace_to = traces_url(collector.url)
    with TritonServer(repository, environment=server_environment, log_file=log_file, trace_to=trace_to) as server:
        yield server


@pytest.fixture
def exported() -> Iterator[InMemorySpanExporter]:
    """What an application's own provider would get."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    spans.use(provider)
    yield exporter
    spans.use(None)


@pytest.mark.parametrize("protocol", ["grpc", "http"])
async def test_tritons_spans_have_our_request_as_parent(
    collector: Collector, traced_triton: TritonServer, protocol: str
) -> None:
    collector.spans.clear()
    transport = connect(f"{protocol}://{getattr(traced_triton.endpoints, protocol)}")
    with traced(collector.url):
        await transport.infer("sentiment", {"input_ids": TOKENS, "attention_mask": TOKENS})
    await transport.close()
    collector.wait_for(lambda: bool(collector.named("InferRequest", "triton")))
    (ours,) = collector.named("infer sentiment")
    (root,) = collector.named("InferRequest", "triton")
    (model,) = collector.named("sentiment", "triton")
    assert (root.parent, root.trace) == (ours.id, ours.trace)
    assert (model.parent, model.trace) == (root.id, ours.trace)
    assert ours.attributes == {
        "callscope.model": "sentiment",
        "callscope.server": getattr(traced_triton.endpoints, protocol),
    }


async def test_a_call_is_one_trace_of_steps_and_requests_which_its_log_names(
    collector: Collector, traced_triton: TritonServer, demo_calls: Path, tmp_path: Path
) -> None:
    collector.spans.clear()
    sound, rate_hz = soundfile.read(demo_calls / "en.wav", dtype="int16")
    soundfile.write(tmp_path / "clip.wav", sound[: 6 * rate_hz], rate_hz)
    configure_logging(Settings(log_file=tmp_path / "log"))
    transport = connect(f"grpc://{traced_triton.endpoints.grpc}")
    with traced(collector.url):
        call = await analyze(tmp_path / "clip.wav", transport, Settings())
    await transport.close()
    (root,) = collector.named("call")
    assert root.parent == ""
    assert root.attributes["callscope.call"] == call.recording.id
    ours = [one for one in collector.spans if one.service == "callscope"]
    assert {one.trace for one in ours} == {root.trace}
    steps = {one.id: one for one in ours if one.name.startswith("step ")}
    assert {one.parent for one in steps.values()} == {root.id}
    assert {f"step {step.name}" for step in call.processing.steps} == {one.name for one in steps.values()}
    asked = collector.named("infer transcribe_words")
    assert asked
    assert {steps[one.parent].name for one in asked} == {"step transcribe"}
    logged = [json.loads(line) for line in (tmp_path / "log").read_text("utf-8").splitlines()]
    assert {line["trace"] for line in logged if line["event"] == "analysed"} == {root.trace}


def test_an_error_is_the_spans_by_its_class_and_what_it_says_stays_here(exported: InMemorySpanExporter) -> None:
    with pytest.raises(ServerBusy), span("infer m", model="m"):
        raise ServerBusy("grpc://me:hunter2@a:1", "m", "what was said")
    (found,) = exported.get_finished_spans()
    assert found.attributes == {"callscope.model": "m", "error.type": "ServerBusy"}
    assert not found.status.is_ok
    assert "said" not in found.to_json()
    assert "hunter2" not in found.to_json()


def test_an_open_span_is_sent_along_as_trace_context(exported: InMemorySpanExporter) -> None:
    with span("call"):
        headers = propagated()
    (found,) = exported.get_finished_spans()
    context = found.get_span_context()
    assert context is not None
    assert headers == {"traceparent": f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"}


def test_without_a_place_to_send_them_there_are_no_spans_and_no_headers() -> None:
    with traced(None), span("call"):
        assert propagated() == {}
        assert spans.current_trace() == ""


def test_a_collector_that_is_away_is_told_once_and_holds_nobody_up(
    free_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    began_s = time.monotonic()
    with caplog.at_level(logging.WARNING), traced(f"http://127.0.0.1:{free_port}"):
        for _ in range(2000):
            with span("call"):
                pass
    assert [record.message.split(" to ")[0] for record in caplog.records] == ["Traces cannot be sent"]
    assert time.monotonic() - began_s < 60  # far more than it takes: nobody waits for a collector


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://a:4318", "http://a:4318/v1/traces"),
        ("http://a:4318/", "http://a:4318/v1/traces"),
        ("https://a/otlp/v1/traces", "https://a/otlp/v1/traces"),
    ],
)
def test_the_path_of_otlp_is_put_where_there_is_none(endpoint: str, url: str) -> None:
    assert traces_url(endpoint) == url
