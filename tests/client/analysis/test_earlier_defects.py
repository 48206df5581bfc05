"""What earlier systems for call analytics got wrong, each as a test of the code that does it here.

They made up times where a recogniser gave none, stored figures that cannot be computed as 0, stored the threshold of
silence as the silence, took one polite sentence in ten for polite, lost characters when they split sentences (60 of 74
were kept), and returned an empty result where something had failed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from callscope.analysis.phrases import phrasebook
from callscope.analysis.quality import measure_quality
from callscope.analysis.talk import measure
from callscope.call import Call, Quality, Segment, Speaker
from callscope.errors import RequestFailed
from callscope.pipeline import analyze
from callscope.report.json import schema, to_json
from callscope.settings import Settings
from callscope.text.sentences import split_sentences
from callscope.triton.fake import FakeTransport
from callscope_preprocessing.errors import AudioError

MakeServer = Callable[..., FakeTransport]
SAID = "thank you for calling it is broken"
POLITE = (
    "확인해 드릴까요?", "확인합니다.", "불편하십니까?", "기다려 주시겠어요?",
    "그런 것 같습니다.", "그렇게 된 거죠.", "되셨나요?", "알겠어요.", "확인했어요.",
    "있을까요?",
)  # fmt: skip
LONG = (
    "안녕하세요 고객님, 주문하신 상품은 3.5kg입니다. \"내일 도착합니다.\"라고 안내받으셨나요? 네... 확인해 드릴게요!"
    "  조금만 기다려 주세요"
)  # fmt: skip


def say(speaker: str, start_s: float, end_s: float, text: str) -> Segment:
    return Segment(f"{speaker}-{start_s:g}", start_s, end_s, speaker, 0, text, text, "en")


async def analysed(path: Path, server: FakeTransport) -> Call:
    return await analyze(path, server, Settings(agent_channel=0))


async def test_times_that_are_missing_are_not_made_up(
    demo_calls: Path, made_up_server: MakeServer, heard: Callable[..., Any]
) -> None:
    path = demo_calls / "en.wav"
    without = [await analysed(path, made_up_server(heard(SAID), without=("transcribe_words",))) for _ in range(2)]
    assert without[0].segments
    assert without[0].segments == without[1].segments
    assert {segment.words for segment in without[0].segments} == {()}
    assert "words" in without[0].processing.degraded


def test_what_cannot_be_computed_is_null_and_not_0() -> None:
    speakers = (Speaker("A"), Speaker("C"))
    segments = (say("A", 0, 2, "Thank you for calling."), say("C", 3, 4, "Hello."))
    found = measure(segments, speakers, 10.0)
    assert (found.roles.agent, found.roles.customer) == (None, None)
    assert (found.response_latency, found.task_ratio) == (None, None)
    assert measure((), speakers, 10.0).speakers["A"].share_of_speech is None
    quality = measure_quality(segments, speakers)
    figures = [getattr(quality, field.name) for field in fields(Quality) if field.name != "evidence"]
    assert figures == [None] * 6


@pytest.mark.parametrize("threshold_s", [1.0, 3.0, 5.0])
def test_the_silence_is_measured_and_its_threshold_kept_beside_it(threshold_s: float) -> None:
    segments = (say("A", 0, 2, "Hello."), say("A", 9.5, 12, "Are you there?"))
    found = measure(segments, (Speaker("A", "agent"),), 12.0, non_talk_s=threshold_s).non_talk
    assert (found.threshold_s, found.total_s, found.longest_s) == (threshold_s, 7.5, 7.5)
    none = measure(segments, (Speaker("A", "agent"),), 12.0, non_talk_s=8.0).non_talk
    assert (none.total_s, none.count, none.longest_s) == (0.0, 0, None)


@pytest.mark.parametrize("mark", [True, False], ids=["with its mark", "without"])
def test_each_of_ten_polite_sentences_is_polite(mark: bool) -> None:
    book = phrasebook("ko")
    assert book
    for text in POLITE:
        assert "honorific" in {each.courtesy for each in book.find(text if mark else text.rstrip("?."))}, text


@pytest.mark.parametrize("language", ["ko", "ja", "en"])
def test_splitting_keeps_every_character(language: str) -> None:
    parts = split_sentences(LONG, language)
    assert "".join(parts) == LONG
    assert len(parts) > 1


async def test_a_recogniser_that_fails_is_an_error_and_no_empty_result(
    demo_calls: Path, made_up_server: MakeServer
) -> None:
    failure = RequestFailed("fake://callscope", "transcribe_words", "out of memory")
    with pytest.raises(RequestFailed, match="out of memory"):
        await analysed(demo_calls / "en.wav", made_up_server(failure))


async def test_a_file_that_cannot_be_read_is_an_error_and_no_empty_result(
    tmp_path: Path, made_up_server: MakeServer
) -> None:
    path = tmp_path / "call.wav"
    path.write_bytes(b"RIFF\x00\x00\x00\x00WAVE")
    with pytest.raises(AudioError):
        await analysed(path, made_up_server())


async def test_a_step_that_fails_is_told_in_the_result(
    demo_calls: Path, made_up_server: MakeServer, heard: Callable[..., Any]
) -> None:
    failure = RequestFailed("fake://callscope", "sentiment", "out of memory")
    call = await analysed(demo_calls / "en.wav", made_up_server(heard(SAID), answers={"sentiment": failure}))
    assert call.segments
    assert call.processing.degraded == ("sentiment",)
    assert [step.error for step in call.processing.steps if step.status == "failed"] == [str(failure)]
    jsonschema.Draft202012Validator(schema()).validate(to_json(call))
