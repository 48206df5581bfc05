"""The pipeline over the models of this checkout, on recordings of people, by both protocols."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from callscope.call import Call
from callscope.pipeline import analyze
from callscope.report.json import schema, to_json
from callscope.settings import Settings
from callscope.triton.transport import connect

if TYPE_CHECKING:
    from callscope_server.launcher import TritonServer

pytestmark = pytest.mark.asyncio


async def analysed(url: str, path: Path, **values: object) -> Call:
    transport = connect(url)
    try:
        return await analyze(path, transport, Settings.model_validate(values))
    finally:
        await transport.close()


async def test_grpc_and_http_hear_the_same_call(triton: TritonServer, shared_data: Path) -> None:
    path = shared_data / "calls" / "two_channel_16k.wav"
    # One request at a time: what an INT8 model hears may depend on what it is batched with.
    by_grpc = await analysed(f"grpc://{triton.endpoints.grpc}", path, concurrency=1)
    by_http = await analysed(f"http://{triton.endpoints.http}", path, concurrency=1)
    assert by_grpc.segments == by_http.segments
    assert by_grpc.metrics == by_http.metrics
    assert by_grpc.processing.degraded == by_http.processing.degraded == ()


@pytest.mark.parametrize("language", ["en", "ja", "ko"])
async def test_each_language_of_the_demo_models_gives_a_valid_result(
    triton: TritonServer, shared_data: Path, language: str
) -> None:
    path = shared_data / "calls" / f"{language}_narrowband.wav"
    call = await analysed(f"grpc://{triton.endpoints.grpc}", path, language=language)
    jsonschema.Draft202012Validator(schema()).validate(to_json(call))
    assert {segment.language for segment in call.segments} <= {language}
    assert all("".join(sentence.text for sentence in segment.sentences) == segment.text for segment in call.segments)
