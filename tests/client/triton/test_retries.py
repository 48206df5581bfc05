from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from callscope.triton.fake import FakeTransport
from callscope.triton.language import Heard, transcribe_call
from callscope.triton.retries import FEWEST, retries
from callscope.triton.transcriber import Transcriber
from callscope_preprocessing.chunk import Chunk, whole
from callscope_preprocessing.track import track_of

pytestmark = pytest.mark.asyncio

MakeServer = Callable[..., FakeTransport]
MakeAnswer = Callable[..., dict[str, Any]]
LOOPING = "thank you for " * 12


def chunks(count: int) -> list[Chunk]:
    """Chunks whose first sample is their number."""
    return [whole(track_of(np.full(64_000, index, np.int16), 16_000), speech_s=3.5) for index in range(count)]


def asked(server: FakeTransport) -> list[tuple[int, float]]:
    """Number and temperature of every request for words, in order."""
    requests = [request.inputs for request in server.requests if request.model == "transcribe_words"]
    return [(int(i["audio"][0, 0]), round(float(i["temperature"][0, 0]), 1)) for i in requests]


async def hear(server: FakeTransport, count: int, language: str | None = "en", **options: Any) -> Heard:
    transcriber = await Transcriber.from_server(server)
    return await transcribe_call(transcriber, chunks(count), language, limit=4, **options)


def stubborn(heard: MakeAnswer, bad: Mapping[int, float]) -> Callable[..., Any]:
    """A `transcribe` that loops in some chunks, whatever the temperature, with their log-probabilities."""

    def answer(inputs: Mapping[str, Any]) -> Any:
        number = int(inputs["audio"][0, 0])
        return heard(LOOPING, logprob=bad[number]) if number in bad else heard("thank you")

    return answer


async def test_a_loop_is_asked_again_until_it_is_none(made_up_server: MakeServer, heard: MakeAnswer) -> None:
    server = made_up_server([heard(LOOPING), heard(LOOPING), heard("thank you"), heard("not asked for")])
    result = await hear(server, 1, None)
    assert [(one.text, one.doubts) for one in result.transcripts] == [("thank you", ())]
    assert result.transcripts[0].temperature == pytest.approx(0.4)
    assert asked(server) == [(0, 0.0), (0, 0.2), (0, 0.4)]
    assert int(server.requests[-1].inputs["language"][0, 0]) == 300, "the language that was heard first"


async def test_what_stays_bad_is_marked_and_the_least_bad_is_kept(
    made_up_server: MakeServer, heard: MakeAnswer
) -> None:
    bad = [heard(LOOPING, logprob=logprob) for logprob in (-0.5, -2.0, -0.3, -0.4, -3.0, -0.6)]
    server = made_up_server(bad)
    (transcript,) = (await hear(server, 1)).transcripts
    assert transcript.doubts == ("repetition", "loop", "too_fast", "cut_off")
    assert transcript.avg_logprob == pytest.approx(-0.3)
    assert [temperature for _, temperature in asked(server)] == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]


async def test_good_words_are_asked_for_once(made_up_server: MakeServer, heard: MakeAnswer) -> None:
    server = made_up_server(stubborn(heard, {2: -0.5}))
    result = await hear(server, 4)
    assert Counter(number for number, _ in asked(server)) == {0: 1, 1: 1, 2: 5, 3: 1} | {2: 6}
    assert [bool(one.doubts) for one in result.transcripts] == [False, False, True, False]
    assert result.left_out == 1


async def test_a_call_full_of_doubts_costs_twice_and_says_what_it_left_out(
    made_up_server: MakeServer, heard: MakeAnswer
) -> None:
    server = made_up_server(stubborn(heard, dict.fromkeys(range(20), -0.5)))
    result = await hear(server, 20)
    assert len(asked(server)) == 40
    assert Counter(asked(server)[20:]) == {(number, 0.2): 1 for number in range(20)}, "each is heard a second time"
    assert all(one.doubts for one in result.transcripts)
    assert result.left_out == 20


async def test_the_worst_are_asked_for_where_not_all_can_be(made_up_server: MakeServer, heard: MakeAnswer) -> None:
    server = made_up_server(stubborn(heard, {number: -0.1 * number for number in range(20)}))
    await hear(server, 20, max_retry_share=0.3)
    assert {number for number, temperature in asked(server) if temperature} == {14, 15, 16, 17, 18, 19}


async def test_without_a_share_each_window_is_asked_for_once(made_up_server: MakeServer, heard: MakeAnswer) -> None:
    server = made_up_server(stubborn(heard, {0: -0.5, 1: -0.5}))
    result = await hear(server, 2, max_retry_share=0)
    assert len(asked(server)) == 2
    assert result.left_out == 2


async def test_what_no_other_words_can_cure_is_marked_and_not_asked_again(
    made_up_server: MakeServer, heard: MakeAnswer
) -> None:
    server = made_up_server(heard("thank you", no_speech=0.7))
    result = await hear(server, 1)
    assert [one.doubts for one in result.transcripts] == [("no_speech",)]
    assert len(asked(server)) == 1
    assert result.left_out == 0


@pytest.mark.parametrize(("windows", "share", "most"), [(1, 1.0, FEWEST), (100, 1.0, 100), (9, 0.75, 7), (9, 0, 0)])
async def test_the_retries_of_a_call_are_a_share_of_its_windows(windows: int, share: float, most: int) -> None:
    assert retries(windows, share) == most
