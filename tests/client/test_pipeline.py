from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import soundfile

from callscope.call import Call, Step
from callscope.errors import (
    LanguageUnknown,
    ModelMissing,
    RequestFailed,
    ServerBusy,
    ServerTimeout,
    SettingsInvalid,
    TritonError,
)
from callscope.pipeline import analyze
from callscope.report.json import schema, to_json
from callscope.settings import Settings
from callscope.triton.fake import FakeTransport
from callscope_preprocessing.errors import AudioError, AudioNotFound

pytestmark = pytest.mark.asyncio

RATE_HZ = 8_000
MakeServer = Callable[..., FakeTransport]
Heard = Callable[..., Any]
SAID = "thank you for calling it is broken"
WORDS = {"calling": "PERIOD", "broken": "PERIOD"}


def voice(seconds: float, *, pitch_hz: float = 120.0, seed: int = 0) -> np.ndarray:
    """Something that voice activity detection takes for speech: gliding harmonics in syllables of changing loudness."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    pitch = pitch_hz * (1 + 0.15 * np.sin(2 * np.pi * 0.9 * time_s + seed))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE_HZ
    sound = sum(np.sin(phase * harmonic) / harmonic for harmonic in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 3.1 * time_s + seed), 0, 1) ** 0.5 * rng.uniform(0.5, 1.0, len(time_s))
    return (0.2 * sound * syllables).astype(np.float32)


def write_call(path: Path, *channels: Mapping[float, float], duration_s: float = 12.0) -> Path:
    """A recording; each channel is start -> length of what is spoken there."""
    samples = np.zeros((round(duration_s * RATE_HZ), len(channels)), np.float32)
    for number, channel in enumerate(channels):
        for start_s, length_s in channel.items():
            first = round(start_s * RATE_HZ)
            spoken = voice(length_s, pitch_hz=110 + 70 * number, seed=number)
            samples[first : first + len(spoken), number] += spoken
    soundfile.write(path, samples, RATE_HZ)
    return path


@pytest.fixture
def stereo(tmp_path: Path) -> Path:
    return write_call(tmp_path / "call.wav", {0.5: 2.5, 7.0: 2.0}, {3.5: 2.5})


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def step_of(call: Call, name: str) -> Step:
    return next(step for step in call.processing.steps if step.name == name)


def configured(**values: Any) -> Settings:
    return Settings(**values)


async def analysed(path: Path, server: FakeTransport, **values: Any) -> Call:
    return await analyze(path, server, configured(**values))


async def test_a_call_goes_through_every_step(
    stereo: Path, made_up_server: MakeServer, heard: Heard, after_words: Callable[..., Any]
) -> None:
    server = made_up_server(heard(SAID), labeller=after_words(WORDS))
    call = await analysed(stereo, server, agent_channel=0)
    assert [step.name for step in call.processing.steps] == [
        "decode", "models", "channels", "vad", "bleed", "windows", "transcribe", "punctuate", "sentiment", "measures",
    ]  # fmt: skip
    assert {step.status for step in call.processing.steps} == {"ok"}
    assert call.processing.degraded == ()
    assert sum(step.seconds for step in call.processing.steps) <= call.processing.wall_seconds
    assert call.processing.rtf == pytest.approx(call.processing.wall_seconds / 12.0)
    assert {
        use: (model.name, model.version, model.precision, model.source, model.revision)
        for use, model in call.processing.models.items()
    } == {
        "asr": ("transcribe_words", "1", "fp32", "made-up/model", "r1"),
        "punctuation": ("punctuate", "1", "fp32", "made-up/model", "r1"),
        "sentiment": ("sentiment", "1", "fp32", "made-up/model", "r1"),
    }
    sha256 = sha256_of(stereo)
    assert (call.recording.sha256, call.recording.id, call.recording.source) == (sha256, sha256[:16], str(stereo))
    assert (call.recording.duration_s, call.recording.sample_rate_hz, call.recording.channels) == (12.0, RATE_HZ, 2)
    assert (call.recording.language, call.recording.language_probability) == ("en", pytest.approx(0.9))


async def test_segments_are_where_the_speech_is_and_whose_it_is(
    stereo: Path, made_up_server: MakeServer, heard: Heard, after_words: Callable[..., Any]
) -> None:
    call = await analysed(stereo, made_up_server(heard(SAID), labeller=after_words(WORDS)), agent_channel=1)
    assert [(speaker.id, speaker.role, speaker.role_source, speaker.channel) for speaker in call.speakers] == [
        ("speaker-1", "customer", "channel", 0),
        ("speaker-2", "agent", "channel", 1),
    ]
    assert [(segment.id, segment.speaker, segment.channel) for segment in call.segments] == [
        ("seg-0001", "speaker-1", 0),
        ("seg-0002", "speaker-2", 1),
        ("seg-0003", "speaker-1", 0),
    ]
    starts = [segment.start_s for segment in call.segments]
    assert starts == pytest.approx([0.5, 3.5, 7.0], abs=0.4)
    first = call.segments[0]
    assert first.end_s == pytest.approx(3.0, abs=0.4)
    assert (first.raw_text, first.text) == (SAID, "Thank you for calling. It is broken.")
    assert [sentence.text for sentence in first.sentences] == ["Thank you for calling. ", "It is broken."]
    assert [sentence.sentiment.label for sentence in first.sentences if sentence.sentiment] == ["positive", "negative"]
    assert first.sentiment is not None
    assert first.sentiment.score == pytest.approx(0.0, abs=0.3)
    assert first.confidence == pytest.approx(np.exp(-0.1))
    assert (first.overlap, first.interruption) == (False, False)
    assert call.metrics.roles.agent is not None
    assert call.metrics.roles.agent.turns == 1


async def test_every_word_has_its_time_inside_its_segment(
    stereo: Path, made_up_server: MakeServer, heard: Heard
) -> None:
    call = await analysed(stereo, made_up_server(heard(SAID)))
    for segment in call.segments:
        assert [word.word for word in segment.words] == SAID.split()
        assert {word.speaker for word in segment.words} == {segment.speaker}
        times = [time for word in segment.words for time in (word.start_s, word.end_s)]
        assert times == sorted(times)
        assert segment.start_s <= times[0] < times[-1] <= segment.end_s
        assert segment.words[0].confidence == pytest.approx(np.exp(-0.1))
    assert "words" not in call.processing.degraded


async def test_a_server_without_word_times_is_good_for_the_rest(
    stereo: Path, made_up_server: MakeServer, heard: Heard
) -> None:
    call = await analysed(stereo, made_up_server(heard(SAID), without=("transcribe_words",)))
    assert [segment.words for segment in call.segments] == [()] * 3
    assert call.segments[0].raw_text == SAID
    assert call.processing.degraded == ("words",)
    assert call.processing.models["asr"].name == "transcribe"


async def test_words_that_are_not_to_be_believed_are_marked(
    stereo: Path, made_up_server: MakeServer, heard: Heard
) -> None:
    call = await analysed(stereo, made_up_server(heard(SAID, logprob=-2.0)))
    assert [segment.doubts for segment in call.segments] == [("improbable",)] * 3
    jsonschema.validate(to_json(call), schema())


async def test_each_channel_is_resampled_and_packed_for_the_model(
    stereo: Path, made_up_server: MakeServer, heard: Heard
) -> None:
    server = made_up_server(heard("yes"))
    await analysed(stereo, server)
    windows = [request.inputs["audio"] for request in server.requests if request.model == "transcribe_words"]
    assert {(window.shape, window.dtype.name) for window in windows} == {((1, 64_000), "int16")}
    assert all(np.abs(window[0, :32_000]).max() > 1000 for window in windows)


async def test_overlapping_speech_is_marked(tmp_path: Path, made_up_server: MakeServer, heard: Heard) -> None:
    path = write_call(tmp_path / "both.wav", {1.0: 3.0}, {2.5: 3.0})
    call = await analysed(path, made_up_server(heard("so it is")))
    assert [segment.overlap for segment in call.segments] == [True, True]
    assert [segment.interruption for segment in call.segments] == [False, True]


async def test_one_channel_has_one_speaker_and_no_role(
    tmp_path: Path, made_up_server: MakeServer, heard: Heard
) -> None:
    path = write_call(tmp_path / "mono.wav", {1.0: 3.0})
    call = await analysed(path, made_up_server(heard("hello")), agent_channel=0, speakers="1")
    assert [(speaker.role, speaker.role_source, speaker.role_confidence) for speaker in call.speakers] == [
        ("unknown", None, None)
    ]
    assert call.metrics.roles.agent is None


async def test_two_equal_channels_are_one_and_are_transcribed_once(
    tmp_path: Path, made_up_server: MakeServer, heard: Heard
) -> None:
    mono = write_call(tmp_path / "mono.wav", {1.0: 3.0})
    samples, _ = soundfile.read(mono)
    soundfile.write(tmp_path / "twice.wav", np.stack([samples, samples], axis=1), RATE_HZ)
    server = made_up_server(heard("hello"))
    call = await analysed(tmp_path / "twice.wav", server, agent_channel=1, speakers="1")
    assert (len(call.speakers), call.speakers[0].role, call.recording.channels) == (1, "unknown", 2)
    assert sum(request.model == "transcribe_words" for request in server.requests) == 1


async def test_without_an_agents_channel_roles_stay_unknown(
    stereo: Path, made_up_server: MakeServer, heard: Heard
) -> None:
    call = await analysed(stereo, made_up_server(heard("hello")))
    assert {speaker.role for speaker in call.speakers} == {"unknown"}
    assert call.metrics.roles.agent is None


async def test_an_agents_channel_that_is_not_there_is_refused(stereo: Path, made_up_server: MakeServer) -> None:
    with pytest.raises(SettingsInvalid, match="channel 2: the call has channels 0 to 1"):
        await analysed(stereo, made_up_server(), agent_channel=2)


async def test_a_call_without_speech_is_a_valid_result(tmp_path: Path, made_up_server: MakeServer) -> None:
    path = write_call(tmp_path / "silence.wav", {}, {}, duration_s=5.0)
    server = made_up_server()
    call = await analysed(path, server)
    assert (call.segments, call.recording.language, call.recording.language_probability) == ((), None, None)
    assert call.metrics.speech_s == 0
    assert "transcribe_words" not in {request.model for request in server.requests}
    assert call.processing.models["asr"].source == "made-up/model"


async def test_a_chunk_in_which_nobody_speaks_becomes_no_segment(
    stereo: Path, made_up_server: MakeServer, heard: Heard
) -> None:
    nobody = heard("thank you", no_speech=0.9, logprob=-2.0)
    call = await analysed(stereo, made_up_server(nobody))
    assert (call.segments, call.recording.language, call.recording.language_probability) == ((), None, None)


@pytest.mark.parametrize("lacking", ["punctuate", "punctuate_tokenizer"])
async def test_a_server_without_punctuation_gives_plain_text_and_says_so(
    stereo: Path, made_up_server: MakeServer, heard: Heard, lacking: str
) -> None:
    call = await analysed(stereo, made_up_server(heard(SAID), without=(lacking,)))
    assert call.processing.degraded == ("punctuate",)
    skipped = step_of(call, "punctuate")
    assert skipped.status == "skipped"
    assert lacking in str(skipped.error)
    assert "punctuation" not in call.processing.models
    assert [sentence.text for sentence in call.segments[0].sentences] == [SAID]
    assert call.segments[0].sentiment is not None
    assert all(party.questions is None for party in call.metrics.speakers.values())


async def test_a_recogniser_that_writes_marks_needs_no_punctuation_model(
    stereo: Path, made_up_server: MakeServer, heard: Heard
) -> None:
    call = await analysed(stereo, made_up_server(heard("Is it broken? Yes."), without=("punctuate",)))
    assert [sentence.text for sentence in call.segments[0].sentences] == ["Is it broken? ", "Yes."]
    assert [party.questions for party in call.metrics.speakers.values()] == [2, 1]


async def test_without_a_sentiment_model_the_lexicon_judges_and_the_result_says_so(
    stereo: Path, made_up_server: MakeServer, heard: Heard
) -> None:
    call = await analysed(stereo, made_up_server(heard(SAID), without=("sentiment",)))
    assert call.processing.degraded == ("sentiment",)
    assert all_by_lexicon(call)


def all_by_lexicon(call: Call) -> bool:
    """Whether the lexicon alone judged every sentence."""
    judged = [sentence.sentiment for segment in call.segments for sentence in segment.sentences]
    judged += [segment.sentiment for segment in call.segments]
    return all(one is not None and (one.source, one.probabilities) == ("lexicon", {}) for one in judged)


@pytest.mark.parametrize(
    "failure",
    [
        RequestFailed("fake://callscope", "punctuate", "out of memory"),
        ServerBusy("fake://callscope", "punctuate", "queue full"),
        ServerTimeout("fake://callscope", "punctuate", 1.0),
    ],
)
async def test_a_punctuation_that_fails_leaves_plain_text_and_says_why(
    stereo: Path, made_up_server: MakeServer, heard: Heard, failure: TritonError
) -> None:
    server = made_up_server(heard(SAID), answers={"punctuate": failure})
    call = await analysed(stereo, server)
    step = step_of(call, "punctuate")
    assert (call.processing.degraded, step.status, step.error) == (("punctuate",), "failed", str(failure))
    assert [segment.text for segment in call.segments] == [SAID] * 3
    assert all(segment.sentiment is not None for segment in call.segments)
    assert all(party.questions is None for party in call.metrics.speakers.values())
    jsonschema.Draft202012Validator(schema()).validate(to_json(call))


async def test_a_sentiment_that_fails_once_is_left_to_the_lexicon_and_says_why(
    stereo: Path, made_up_server: MakeServer, heard: Heard
) -> None:
    failure = RequestFailed("fake://callscope", "sentiment", "out of memory")
    good = {"logits": np.zeros((1, 3), np.float32)}
    server = made_up_server(heard(SAID), answers={"sentiment": [good, failure, good]})
    call = await analysed(stereo, server)
    step = step_of(call, "sentiment")
    assert (call.processing.degraded, step.status, step.error) == (("sentiment",), "failed", str(failure))
    assert all_by_lexicon(call)


@pytest.mark.parametrize("name", ["punctuate", "sentiment"])
async def test_a_model_that_gives_other_logits_than_it_has_labels_is_left_out(
    stereo: Path, made_up_server: MakeServer, heard: Heard, name: str
) -> None:
    server = made_up_server(heard(SAID), answers={name: {"logits": np.zeros((1, 16, 9), np.float32)}})
    call = await analysed(stereo, server)
    assert call.processing.degraded == (name,)
    assert "gives 9 logits" in str(step_of(call, name).error)


async def test_a_tokenizer_that_cannot_be_fetched_costs_its_step_only(
    stereo: Path, made_up_server: MakeServer, heard: Heard
) -> None:
    failure = RequestFailed("fake://callscope", "sentiment_tokenizer", "out of memory")
    call = await analysed(stereo, made_up_server(heard(SAID), answers={"sentiment_tokenizer": failure}))
    assert (call.processing.degraded, step_of(call, "sentiment").error) == (("sentiment",), str(failure))
    assert "sentiment" not in call.processing.models


async def test_a_server_without_the_recogniser_is_an_error(stereo: Path, made_up_server: MakeServer) -> None:
    with pytest.raises(ModelMissing, match="but not transcribe"):
        await analysed(stereo, made_up_server(without=("transcribe",)))


async def test_a_language_that_is_given_is_not_detected(stereo: Path, made_up_server: MakeServer, heard: Heard) -> None:
    server = made_up_server(heard("네", language="ko"))
    call = await analysed(stereo, server, language="ko")
    assert (call.recording.language, call.recording.language_probability) == ("ko", None)
    assert {int(r.inputs["language"][0, 0]) for r in server.requests if r.model == "transcribe_words"} == {302}


async def test_a_language_the_model_does_not_know_is_an_error_even_of_a_silent_call(
    tmp_path: Path, made_up_server: MakeServer
) -> None:
    with pytest.raises(LanguageUnknown, match="en, ja, ko"):
        await analysed(write_call(tmp_path / "silence.wav", {}), made_up_server(), language="fr")


async def test_what_fails_at_the_server_is_raised_and_not_swallowed(
    stereo: Path, made_up_server: MakeServer, heard: Heard
) -> None:
    busy = ServerBusy("fake://callscope", "transcribe", "queue full")
    with pytest.raises(ServerBusy):
        await analysed(stereo, made_up_server([heard("hello"), busy, heard("hello")]))


async def test_bad_files_are_refused_before_the_server_is_asked(tmp_path: Path, made_up_server: MakeServer) -> None:
    soundless = write_call(tmp_path / "text.wav", {})
    await asyncio.to_thread(soundless.write_text, "this is not sound")
    server = made_up_server()
    with pytest.raises(AudioNotFound):
        await analysed(tmp_path / "absent.wav", server)
    with pytest.raises(AudioError):
        await analysed(soundless, server)
    assert server.requests == []


async def test_several_calls_at_once_do_not_disturb_each_other(
    tmp_path: Path, stereo: Path, made_up_server: MakeServer, heard: Heard
) -> None:
    mono = write_call(tmp_path / "mono.wav", {1.0: 3.0})
    server = made_up_server(heard("hello"))
    calls = await asyncio.gather(*(analysed(path, server) for path in (stereo, mono, stereo)))
    assert [len(call.segments) for call in calls] == [3, 1, 3]


@pytest.mark.parametrize("spoken", [{0.5: 2.5, 4.0: 3.0}, {}])
async def test_every_result_keeps_the_schema(
    tmp_path: Path, made_up_server: MakeServer, heard: Heard, spoken: dict[float, float]
) -> None:
    path = write_call(tmp_path / "call.wav", spoken, spoken and {3.5: 2.5})
    call = await analysed(path, made_up_server(heard(SAID)), agent_channel=0 if spoken else None)
    jsonschema.Draft202012Validator(schema()).validate(to_json(call))
    assert len(to_json(call)["segments"]) == (3 if spoken else 0)


async def test_progress_counts_the_parts_of_each_step(stereo: Path, made_up_server: MakeServer, heard: Heard) -> None:
    seen: list[tuple[str, int, int]] = []
    server = made_up_server(heard("hello there"))
    await analyze(stereo, server, configured(), progress=lambda *step: seen.append(step))
    assert [step for step in seen if step[0] == "transcribe"] == [("transcribe", done, 3) for done in range(4)]
    assert ("sentiment", 3, 3) in seen


async def test_a_window_is_filled_when_it_is_asked_for_and_words_have_times(
    tmp_path: Path, made_up_server: MakeServer, heard: Heard
) -> None:
    path = write_call(tmp_path / "call.wav", {0.5: 1.0, 4.0: 1.0})

    async def windows(fill: bool | None, **server: Any) -> int:
        made = made_up_server(heard("yes"), **server)
        await analysed(path, made, language="en", fill_windows=fill)
        return sum(request.model.startswith("transcribe") for request in made.requests)

    assert await windows(True) == 1
    assert await windows(False) == await windows(None) == 2, "4 s are no long window"
