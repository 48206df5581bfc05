"""The pipeline over the models of this checkout, on recordings of people, by both protocols."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from callscope.call import Call
from callscope.pipeline import analyze
from callscope.report.json import schema, to_json
from callscope.settings import Settings
from callscope.triton.punctuator import Punctuator
from callscope.triton.sentiment import SentimentModel
from callscope.triton.transport import connect

if TYPE_CHECKING:
    from callscope_server.launcher import TritonServer

pytestmark = pytest.mark.asyncio

DEMO_CALLS = Path(__file__).parents[3] / "demo" / "calls"


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


@pytest.mark.parametrize("language", ["en", "ja", "ko"])
async def test_the_text_models_are_served_as_they_were_trained(triton: TritonServer, language: str) -> None:
    """The sentences of the demo calls, each alone: nearly all end in a mark, and most sound as the script says."""
    said = [pair for turn in script(language)["turn"] for pair in turn["sentences"]]
    transport = connect(f"grpc://{triton.endpoints.grpc}")
    try:
        punctuator = await Punctuator.from_server(transport)
        plain = [re.sub("[,.?、。？]", "", text).lower() for text, _ in said]
        marked = [await punctuator.punctuate(text, language) for text in plain]
        sentiment = await SentimentModel.from_server(transport)
        labels = [(await sentiment.classify(text)).label for text, _ in said]
    finally:
        await transport.close()
    assert sum(text[-1] in ".?。？" for text in marked) >= 0.9 * len(marked), marked
    assert sum(found == wanted for found, (_, wanted) in zip(labels, said, strict=True)) >= 0.7 * len(said), labels


def script(language: str) -> dict[str, Any]:
    return tomllib.loads((DEMO_CALLS / f"{language}.toml").read_text(encoding="utf-8"))
