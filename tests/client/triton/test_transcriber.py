from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from callscope.errors import ContractMismatch, LanguageUnknown
from callscope.triton.fake import FakeTransport
from callscope.triton.transcriber import Transcriber, token_limit
from callscope_preprocessing.chunk import Chunk, whole
from callscope_preprocessing.track import track_of

MakeServer = Callable[..., FakeTransport]
Heard = Callable[..., dict[str, Any]]


def chunk(speech_s: float = 2.0) -> Chunk:
    return whole(track_of(np.arange(64_000).astype(np.int16), 16_000), speech_s=speech_s)


@pytest.mark.asyncio
async def test_everything_about_the_model_is_read_from_the_server(made_up_server: MakeServer) -> None:
    model = (await Transcriber.from_server(made_up_server())).model
    assert (model.sample_rate_hz, model.window_samples, model.window_s) == (16_000, 64_000, 4.0)
    assert (model.end_of_text, model.max_tokens, model.languages["ko"]) == (256, 200, 302)
    assert (model.precision, model.source, model.revision) == ("fp32", "made-up/model", "r1")


@pytest.mark.asyncio
async def test_a_request_keeps_the_wire_contract(made_up_server: MakeServer, heard: Heard) -> None:
    server = made_up_server(heard("hello"))
    await (await Transcriber.from_server(server)).transcribe(chunk(), "ja")
    inputs = server.requests[-1].inputs
    assert {name: (tensor.shape, tensor.dtype.name) for name, tensor in inputs.items()} == {
        "audio": ((1, 64_000), "int16"),
        "language": ((1, 1), "int32"),
        "task": ((1, 1), "int32"),
        "max_tokens": ((1, 1), "int32"),
        "temperature": ((1, 1), "float32"),
    }
    assert [int(inputs[name][0, 0]) for name in ("language", "task", "max_tokens", "temperature")] == [301, -1, 56, 0]
    assert np.array_equal(inputs["audio"][0], chunk().audio())


@pytest.mark.asyncio
async def test_words_arrive_with_their_evidence(made_up_server: MakeServer, heard: Heard) -> None:
    text = "감사합니다 감사합니다 감사합니다"
    server = made_up_server(heard(text, language="ko", probability=0.75, logprob=-0.25, no_speech=0.125))
    transcript = await (await Transcriber.from_server(server)).transcribe(chunk(), None)
    assert (transcript.text, transcript.language, transcript.language_probability) == (text, "ko", 0.75)
    assert (transcript.avg_logprob, transcript.no_speech_probability) == (-0.25, 0.125)
    assert transcript.compression_ratio == len(text.encode()) / len(zlib.compress(text.encode()))
    assert len(transcript.tokens) == len(text.encode())
    assert int(server.requests[-1].inputs["language"][0, 0]) == -1


@pytest.mark.asyncio
async def test_the_mean_logprob_counts_the_end_of_text_and_not_the_padding(
    made_up_server: MakeServer, heard: Heard
) -> None:
    answer = heard("ab")
    answer["logprobs"][0, :5] = [-1.0, -2.0, -6.0, -100.0, -100.0]
    transcript = await (await Transcriber.from_server(made_up_server(answer))).transcribe(chunk(), None)
    assert transcript.avg_logprob == -3.0


@pytest.mark.asyncio
async def test_a_text_that_fills_every_place_has_no_end_of_text(made_up_server: MakeServer, heard: Heard) -> None:
    answer = heard("x" * 200)
    transcript = await (await Transcriber.from_server(made_up_server(answer))).transcribe(chunk(), None)
    assert transcript.text == "x" * 200
    assert transcript.avg_logprob == pytest.approx(-0.1 * 200 / 201)


@pytest.mark.parametrize(
    ("no_speech", "logprob", "kept"), [(0.7, -1.5, False), (0.7, -0.5, True), (0.5, -1.5, True), (0.1, -0.1, True)]
)
@pytest.mark.asyncio
async def test_words_are_dropped_only_on_both_kinds_of_evidence(
    made_up_server: MakeServer, heard: Heard, no_speech: float, logprob: float, kept: bool
) -> None:
    server = made_up_server(heard("thank you", no_speech=no_speech, logprob=logprob))
    transcript = await (await Transcriber.from_server(server)).transcribe(chunk(), None)
    assert transcript.text == ("thank you" if kept else "")
    assert len(transcript.tokens) == 9


@pytest.mark.asyncio
async def test_text_is_composed_and_a_character_cut_by_the_token_limit_is_left_out(
    made_up_server: MakeServer, heard: Heard
) -> None:
    answer = heard("\u1100\u1161 네")  # a decomposed syllable, and one of three tokens
    answer["tokens"][0, 9:] = 256
    transcript = await (await Transcriber.from_server(made_up_server(answer))).transcribe(chunk(), None)
    assert transcript.text == "가"


@pytest.mark.asyncio
async def test_a_language_the_model_does_not_know_is_refused_with_those_it_does(made_up_server: MakeServer) -> None:
    transcriber = await Transcriber.from_server(made_up_server())
    with pytest.raises(LanguageUnknown, match=r"'fr'\. Choose one of en, ja, ko"):
        await transcriber.transcribe(chunk(), "fr")


@pytest.mark.asyncio
async def test_an_english_only_checkpoint_needs_no_language_tokens(
    made_up_server: MakeServer, heard: Heard, whisper_parameters: dict[str, str]
) -> None:
    english = whisper_parameters | {"languages": json.dumps({}), "tasks": json.dumps({})}
    server = made_up_server(heard("hello"), whisper=english)
    transcriber = await Transcriber.from_server(server)
    assert (await transcriber.transcribe(chunk(), "en")).language == "en"
    assert int(server.requests[-1].inputs["language"][0, 0]) == -1
    with pytest.raises(LanguageUnknown):
        await transcriber.transcribe(chunk(), "ja")


@pytest.mark.asyncio
async def test_a_model_without_a_parameter_is_refused_by_its_name(
    made_up_server: MakeServer, whisper_parameters: dict[str, str]
) -> None:
    del whisper_parameters["window_samples"]
    with pytest.raises(ContractMismatch, match=r"transcribe .* 'window_samples'"):
        await Transcriber.from_server(made_up_server(whisper=whisper_parameters))


def test_little_speech_may_not_take_many_tokens() -> None:
    assert token_limit(0.5, 448) == 32
    assert token_limit(30.0, 224) == 224
    assert token_limit(0.0, 8) == 8
