from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from callscope.triton.evidence import Doubt, doubts
from callscope.triton.fake import FakeTransport
from callscope.triton.transcriber import Transcriber
from callscope_preprocessing.audio import Span
from callscope_preprocessing.windows import Chunk

MakeServer = Callable[..., FakeTransport]
Heard = Callable[..., dict[str, Any]]
LOOPING = "thank you for " * 12


@pytest.mark.parametrize(
    ("text", "language", "avg_logprob", "speech_s", "found"),
    [
        ("my line has been down since monday", "en", -0.2, 2.0, ()),
        ("", "en", -5.0, 0.0, ()),
        ("はいはいはいはいはいはい", "ja", -0.2, 2.0, ()),
        ("네 네 네 네 네", "ko", -0.2, 1.0, ()),
        ("my line is down down down down down down", "en", -0.2, 3.0, ("loop",)),
        ("ありがとうありがとうありがとうありがとうありがとう", "ja", -0.2, 4.0, ("repetition", "loop")),
        ("my line has been down since monday", "en", -1.2, 2.0, ("improbable",)),
        ("my line has been down since monday and nobody has told me why", "en", -0.2, 0.5, ("too_fast",)),
        ("안녕하십니까 고객 센터 상담원 정민호입니다", "ko", -0.2, 0.5, ("too_fast",)),
    ],
)
def test_doubts(text: str, language: str, avg_logprob: float, speech_s: float, found: tuple[Doubt, ...]) -> None:
    assert doubts(text, language, avg_logprob=avg_logprob, speech_s=speech_s) == found


def chunk() -> Chunk:
    return Chunk(0, Span(0.0, 4.0), np.zeros(64_000, np.int16), 3.5)


def temperatures(server: FakeTransport) -> list[float]:
    asked = (request.inputs for request in server.requests if request.model == "transcribe_words")
    return [round(float(inputs["temperature"][0, 0]), 1) for inputs in asked]


@pytest.mark.asyncio
async def test_a_loop_is_asked_again_until_it_is_none(made_up_server: MakeServer, heard: Heard) -> None:
    server = made_up_server([heard(LOOPING), heard(LOOPING), heard("thank you"), heard("not asked for")])
    transcript = await (await Transcriber.from_server(server)).transcribe(chunk(), None)
    assert (transcript.text, transcript.doubts) == ("thank you", ())
    assert transcript.temperature == pytest.approx(0.4)
    assert temperatures(server) == [0.0, 0.2, 0.4]
    assert int(server.requests[-1].inputs["language"][0, 0]) == 300, "the language that was heard first"


@pytest.mark.asyncio
async def test_what_stays_bad_is_marked_and_the_least_bad_is_kept(made_up_server: MakeServer, heard: Heard) -> None:
    bad = [heard(LOOPING, logprob=logprob) for logprob in (-0.5, -2.0, -0.3, -0.4, -3.0, -0.6)]
    server = made_up_server(bad)
    transcript = await (await Transcriber.from_server(server)).transcribe(chunk(), "en")
    assert transcript.doubts == ("repetition", "loop", "too_fast")
    assert transcript.avg_logprob == pytest.approx(-0.3)
    assert temperatures(server) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]


@pytest.mark.asyncio
async def test_good_words_are_asked_for_once(made_up_server: MakeServer, heard: Heard) -> None:
    server = made_up_server(heard("thank you for calling"))
    assert (await (await Transcriber.from_server(server)).transcribe(chunk(), "en")).doubts == ()
    assert temperatures(server) == [0.0]
