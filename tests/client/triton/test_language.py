from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from callscope.triton.fake import FakeTransport
from callscope.triton.language import VOTERS, transcribe_call
from callscope.triton.transcriber import Transcriber
from callscope_preprocessing.chunk import Chunk, whole
from callscope_preprocessing.track import track_of

pytestmark = pytest.mark.asyncio

CODES = {300: "en", 301: "ja", 302: "ko"}


def chunks(*speech_s: float) -> list[Chunk]:
    """Chunks whose first sample is their number."""
    return [
        whole(track_of(np.full(64_000, index, np.int16), 16_000), speech_s=seconds)
        for index, seconds in enumerate(speech_s)
    ]


def listener(heard: Callable[..., Any], detected: Mapping[int, tuple[str, float]]) -> Callable[..., Any]:
    """A `transcribe` that hears a chunk's number, and detects a language by that number."""

    def answer(inputs: Mapping[str, Any]) -> Any:
        number, wanted = int(inputs["audio"][0, 0]), int(inputs["language"][0, 0])
        language, probability = (CODES[wanted], 0.5) if wanted >= 0 else detected.get(number, ("en", 0.9))
        return heard(f"{number}", language=language, probability=probability)

    return answer


async def test_the_chunks_with_the_most_speech_choose_and_the_rest_follow(
    made_up_server: Callable[..., FakeTransport], heard: Callable[..., Any]
) -> None:
    speech_s = [0.4, 3.0, 2.0, 0.3, 3.5, 1.0, 2.5, 0.2]
    detected = {4: ("ja", 0.9), 1: ("ja", 0.8), 6: ("ko", 0.99), 2: ("ja", 0.4), 5: ("en", 0.3)}
    server = made_up_server(listener(heard, detected))
    result = await transcribe_call(await Transcriber.from_server(server), chunks(*speech_s), None, limit=2)
    assert (result.language, result.language_probability) == ("ja", pytest.approx(2.1 / VOTERS))
    assert [transcript.text for transcript in result.transcripts] == [str(number) for number in range(8)]
    assert {transcript.language for transcript in result.transcripts} == {"ja"}
    asked = [int(r.inputs["audio"][0, 0]) for r in server.requests if r.model == "transcribe_words"]
    assert sorted(asked) == sorted([*range(8), 5, 6])  # only those that voted otherwise are heard twice


async def test_a_given_language_is_used_from_the_start(
    made_up_server: Callable[..., FakeTransport], heard: Callable[..., Any]
) -> None:
    server = made_up_server(listener(heard, {}))
    result = await transcribe_call(await Transcriber.from_server(server), chunks(1.0, 2.0, 3.0), "ko", limit=2)
    assert (result.language, result.language_probability) == ("ko", None)
    assert [int(r.inputs["language"][0, 0]) for r in server.requests if r.model == "transcribe_words"] == [302] * 3


async def test_probability_outvotes_number(
    made_up_server: Callable[..., FakeTransport], heard: Callable[..., Any]
) -> None:
    detected = {0: ("ko", 0.95), 1: ("en", 0.4), 2: ("en", 0.4)}
    server = made_up_server(listener(heard, detected))
    result = await transcribe_call(await Transcriber.from_server(server), chunks(1.0, 1.0, 1.0), None, limit=3)
    assert result.language == "ko"


async def test_a_call_without_speech_has_no_language(made_up_server: Callable[..., FakeTransport]) -> None:
    result = await transcribe_call(await Transcriber.from_server(made_up_server()), [], None, limit=2)
    assert (result.transcripts, result.language, result.language_probability) == ((), None, None)


async def test_every_request_is_counted(
    made_up_server: Callable[..., FakeTransport], heard: Callable[..., Any]
) -> None:
    counted: list[int] = []
    server = made_up_server(listener(heard, {}))
    transcriber = await Transcriber.from_server(server)
    await transcribe_call(transcriber, chunks(1.0, 1.0), "en", limit=1, heard_one=lambda: counted.append(1))
    assert len(counted) == 2
