from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from callscope.call import Call
from callscope.errors import RequestFailed, SettingsInvalid
from callscope.report.json import schema, to_json
from callscope.settings import Settings
from callscope.transcripts.flow import analyze_transcripts
from callscope.triton.fake import FakeTransport

pytestmark = pytest.mark.asyncio

MakeServer = Callable[..., FakeTransport]
AfterWords = Callable[..., Any]
CHECKER = jsonschema.Draft202012Validator(schema())
UNMARKED = [
    {"start": 1, "end": 3, "speaker": "Agent", "text": "thank you for calling"},
    {"start": 2.5, "end": 5, "speaker": "Customer", "text": "it is broken"},
    {"start": 9, "end": 10, "speaker": "Agent", "text": "thank you for telling"},
]
MARKED = [{**row, "text": f"{row['text']}. And"} for row in UNMARKED]


async def analysed(folder: Path, rows: object, server: FakeTransport | None = None, **options: Any) -> Call:
    file = folder / "call.json"
    file.write_text(json.dumps(rows))
    settings = options.pop("settings", {})
    (call,) = await analyze_transcripts(file, server, Settings(**settings), **options)
    CHECKER.validate(to_json(call))
    return call


def steps(call: Call) -> dict[str, str]:
    return {step.name: step.status for step in call.processing.steps}


async def test_words_and_times_are_measured_without_a_server(tmp_path: Path) -> None:
    call = await analysed(tmp_path, MARKED)
    assert [(one.id, one.start_s, one.end_s, one.speaker, one.text) for one in call.segments] == [
        ("seg-0001", 1.0, 3.0, "Agent", "thank you for calling. And"),
        ("seg-0002", 2.5, 5.0, "Customer", "it is broken. And"),
        ("seg-0003", 9.0, 10.0, "Agent", "thank you for telling. And"),
    ]
    agent = call.metrics.roles.agent
    assert agent
    assert agent.sentiment
    assert (agent.talk_time_s, agent.words, agent.sentiment.mean) == (3.0, 10, 0.0)
    assert [silence.duration_s for silence in call.metrics.non_talk.instances] == [4.0]
    assert [(one.speaker, one.interrupted) for one in call.metrics.interruptions.instances] == [("Customer", "Agent")]
    assert [one.interruption for one in call.segments] == [False, True, False]
    assert [one.overlap for one in call.segments] == [True, True, False]
    assert call.metrics.response_latency
    assert call.metrics.response_latency.mean_s == 4.0
    assert call.recording.duration_s == 10.0


async def test_the_result_says_what_it_was_made_from(tmp_path: Path) -> None:
    call = await analysed(tmp_path, MARKED)
    data = (tmp_path / "call.json").read_bytes()
    assert call.recording.sha256 == hashlib.sha256(data).hexdigest()
    assert call.recording.source == str(tmp_path / "call.json")
    assert call.recording.metadata == {"transcript": "segments"}
    assert call.processing.models == {}
    assert steps(call) == {"read": "ok", "sentiment": "skipped", "measures": "ok"}
    assert call.processing.degraded == ("sentiment",)


async def test_unmarked_words_without_a_server_have_no_questions(tmp_path: Path) -> None:
    call = await analysed(tmp_path, UNMARKED)
    assert steps(call)["punctuate"] == "skipped"
    assert call.metrics.roles.agent
    assert call.metrics.roles.agent.questions is None


async def test_a_server_puts_in_marks_and_hears_moods(
    tmp_path: Path, made_up_server: MakeServer, after_words: AfterWords
) -> None:
    server = made_up_server(labeller=after_words({"calling": "PERIOD", "broken": "PERIOD"}), without=("transcribe",))
    call = await analysed(tmp_path, UNMARKED, server, settings={"language": "en"})
    assert [one.text for one in call.segments] == ["Thank you for calling.", "It is broken.", "Thank you for telling"]
    assert call.segments[0].raw_text == "thank you for calling"
    assert [one.sentiment.label for one in call.segments if one.sentiment] == ["positive", "negative", "positive"]
    assert set(call.processing.models) == {"punctuation", "sentiment"}
    assert call.processing.degraded == ()
    assert not server.closed


async def test_marks_of_the_transcript_are_left_alone(tmp_path: Path, made_up_server: MakeServer) -> None:
    server = made_up_server()
    rows = [*MARKED, {"start": 11, "end": 12, "speaker": "Agent", "text": "a caption that goes on"}]
    call = await analysed(tmp_path, rows, server)
    assert [one.text for one in call.segments] == [str(row["text"]) for row in rows]
    assert {request.model for request in server.requests} & {"punctuate", "transcribe"} == set()


async def test_a_model_that_fails_is_noted_and_the_measures_are_there(
    tmp_path: Path, made_up_server: MakeServer
) -> None:
    server = made_up_server(answers={"sentiment": RequestFailed("fake://", "sentiment", "no")})
    call = await analysed(tmp_path, MARKED, server)
    assert steps(call)["sentiment"] == "failed"
    assert call.metrics.turns == 3


@pytest.mark.parametrize(
    ("texts", "language"),
    [(["안녕하세요", "네 OK"], "ko"), (["お電話ありがとうございます", "確認"], "ja"), (["what is it that you"], "en"),
     (["das ist nicht meine Schuld"], None), (["123"], None)],
)  # fmt: skip
async def test_the_language_is_told_by_the_words(tmp_path: Path, texts: list[str], language: str | None) -> None:
    rows = [{"start": at, "end": at + 1, "text": text} for at, text in enumerate(texts)]
    call = await analysed(tmp_path, rows)
    assert {one.language for one in call.segments} == {language}
    assert call.recording.language == language


async def test_the_users_language_wins(tmp_path: Path) -> None:
    call = await analysed(tmp_path, [{"start": 0, "end": 1, "text": "네"}], settings={"language": "ja"})
    assert call.recording.language == "ja"


async def test_a_language_is_named_by_its_code(tmp_path: Path) -> None:
    call = await analysed(tmp_path, [{"start": 0, "end": 1, "text": "x"}], settings={"language": "en-GB"})
    assert call.recording.language == "en"
    with pytest.raises(SettingsInvalid, match="english"):
        await analysed(tmp_path, UNMARKED, settings={"language": "english"})


async def test_a_role_that_no_label_tells_is_told_by_the_words(tmp_path: Path) -> None:
    rows = [
        {"start": 0, "end": 1, "speaker": "A", "text": "I have a problem with my order."},
        {"start": 2, "end": 3, "speaker": "B", "text": "Thank you for calling, how can I help you? My name is Ann."},
    ]
    call = await analysed(tmp_path, rows)
    assert {speaker.id: (speaker.role, speaker.role_source) for speaker in call.speakers}["B"] == ("agent", "text")


async def test_words_lie_within_their_segment_and_belong_to_its_speaker(tmp_path: Path) -> None:
    words = [{"word": "a", "start": 0.9, "end": 1.5}, {"word": "b", "start": 1.5, "end": 2.25}]
    call = await analysed(tmp_path, [{"start": 1, "end": 2, "speaker": "X", "text": "a b", "words": words}])
    assert [(word.start_s, word.end_s, word.speaker) for word in call.segments[0].words] == [
        (1.0, 1.5, "X"),
        (1.5, 2.0, "X"),
    ]


async def test_half_characters_and_control_characters_do_not_reach_the_result(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('[{"start": 0, "end": 1, "speaker": "\\ud800\\u0000", "text": "a\\udfff\\u0007b \\n c"}]')
    (call,) = await analyze_transcripts(file, None, Settings())
    assert (call.segments[0].speaker, call.segments[0].text) == ("\ufffd", "a\ufffdb c")
    json.dumps(to_json(call), ensure_ascii=False).encode()


async def test_each_result_of_a_file_is_a_call(tmp_path: Path) -> None:
    first = to_json(await analysed(tmp_path, MARKED))
    second = to_json(await analysed(tmp_path, UNMARKED))
    file = tmp_path / "both.jsonl"
    file.write_text(f"{json.dumps(first)}\n{json.dumps(second)}\n")
    calls = await analyze_transcripts(file, None, Settings())
    assert [call.segments[0].text for call in calls] == ["thank you for calling. And", "thank you for calling"]
    assert len({call.recording.id for call in calls}) == 2
    assert [call.recording.metadata["line"] for call in calls] == ["1", "2"]
