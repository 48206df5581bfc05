"""A made-up server that speaks the whole contract: what it hears and says is a function of its input."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

from callscope.triton.fake import FakeTransport, Scripted, serve_bytes

BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
END_OF_TEXT = 256
MAX_TOKENS = 200
WINDOW_SAMPLES = 64_000
LANGUAGES = {"en": 300, "ja": 301, "ko": 302}
PUNCTUATION = ("O", "COMMA", "PERIOD", "QUESTION")
SENTIMENTS = ("neutral", "positive", "negative")

COMMON = {"contract": "1", "precision": "fp32", "source": "made-up/model", "revision": "r1"}
WHISPER = COMMON | {
    "sample_rate_hz": "16000",
    "window_samples": str(WINDOW_SAMPLES),
    "languages": json.dumps(LANGUAGES),
    "tasks": json.dumps({"transcribe": 310}),
    "end_of_text": str(END_OF_TEXT),
    "max_tokens": str(MAX_TOKENS),
    "tokenizer": "whisper_tokenizer",
}
Labeller = Callable[[str], Mapping[int, str]]


def byte_tokenizer() -> Tokenizer:
    """A token for each UTF-8 byte: a Japanese character takes three, all with the same offsets."""
    tokenizer = Tokenizer(models.BPE(vocab={byte: index for index, byte in enumerate(BYTES)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken("<|endoftext|>", special=True)])
    return tokenizer


def text_tokenizer() -> Tokenizer:
    """The same with a token before and after the text, as encoders have."""
    tokenizer = byte_tokenizer()
    tokenizer.add_special_tokens(["[CLS]", "[SEP]", "[PAD]"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 257), ("[SEP]", 258)]
    )
    return tokenizer


def heard(
    text: str, *, language: str = "en", probability: float = 0.9, logprob: float = -0.1, no_speech: float = 0.01
) -> dict[str, NDArray[np.generic]]:
    """What `transcribe` answers when it hears `text`."""
    tokens = byte_tokenizer().encode(text).ids
    logprobs = np.zeros((1, MAX_TOKENS), np.float32)
    logprobs[0, : len(tokens) + 1] = logprob
    return {
        "tokens": np.array([tokens + [END_OF_TEXT] * (MAX_TOKENS - len(tokens))], np.int32),
        "logprobs": logprobs,
        "chosen_language": np.array([[LANGUAGES[language]]], np.int32),
        "language_probability": np.array([[probability]], np.float32),
        "no_speech_probability": np.array([[no_speech]], np.float32),
    }


FRAMES = 200


def timed(answer: Scripted | list[Scripted]) -> Scripted | list[Scripted]:
    """The same from `transcribe_words`: of the first second of the window, each token has an equal share."""
    if isinstance(answer, list | tuple):
        return [one for script in answer for one in [timed(script)] if not isinstance(one, list)]
    if isinstance(answer, Exception):
        return answer
    if callable(answer):
        return lambda inputs: with_alignment(answer(inputs))
    return with_alignment(answer)


def with_alignment(answer: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """An answer of `transcribe` with the picture that belongs to it."""
    tokens = answer["tokens"][0]
    count = int((tokens != END_OF_TEXT).sum())
    edges = np.linspace(0, FRAMES // 4, count + 1).round().astype(int)
    alignment = np.zeros((1, len(tokens), FRAMES), np.float32)
    for row, (start, end) in zip(range(len(tokens)), pairwise([*edges, FRAMES]), strict=False):
        alignment[0, row] = -1
        alignment[0, row, start:end] = 1
    return {**answer, "alignment": alignment}


def label_tokens(labeller: Labeller) -> Scripted:
    """A `punctuate` that reads its text and labels what follows so many of its characters."""

    def answer(inputs: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[np.generic]]:
        tokenizer, ids = text_tokenizer(), inputs["input_ids"][0]
        count = int(inputs["attention_mask"].sum())
        text = tokenizer.decode(ids[:count].tolist())
        offsets = tokenizer.encode(text).offsets
        logits = np.zeros((1, len(ids), len(PUNCTUATION)), np.float32)
        logits[..., 0] = 1
        labels = labeller(text)
        for index, (start, end) in enumerate(offsets):
            if end > start and end in labels:
                logits[0, index, PUNCTUATION.index(labels[end])] = 2
        return {"logits": logits}

    return answer


def after_words(words: Mapping[str, str]) -> Labeller:
    """Label what follows each of the words, wherever it stands."""
    return lambda text: {
        index + len(word): label
        for word, label in words.items()
        for index in range(len(text))
        if text.startswith(word, index)
    }


def sentiment_of(text: str) -> list[float]:
    """Logits in the order of SENTIMENTS."""
    return [0.0, 2.0 if "thank" in text.lower() else -2.0, 2.0 if "broken" in text.lower() else -2.0]


def judge(inputs: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[np.generic]]:
    """A `sentiment` that knows two words."""
    count = int(inputs["attention_mask"].sum())
    return {
        "logits": np.array([sentiment_of(text_tokenizer().decode(inputs["input_ids"][0][:count].tolist()))], np.float32)
    }


def text_parameters(labels: tuple[str, ...], tokenizer: str, max_length: int) -> dict[str, str]:
    """The parameters of a text classifier."""
    return COMMON | {"labels": json.dumps(labels), "max_length": str(max_length), "tokenizer": tokenizer}


@pytest.fixture(name="heard")
def heard_fixture() -> Callable[..., dict[str, NDArray[np.generic]]]:
    """`heard`, for tests."""
    return heard


@pytest.fixture(name="after_words")
def after_words_fixture() -> Callable[[Mapping[str, str]], Labeller]:
    """`after_words`, for tests."""
    return after_words


@pytest.fixture(scope="session")
def whisper_description() -> dict[str, str]:
    """The parameters of the made-up `transcribe`."""
    return dict(WHISPER)


@pytest.fixture(scope="session")
def tokenizer_json() -> bytes:
    """The made-up recogniser's tokenizer, as a file."""
    return byte_tokenizer().to_str().encode()


@pytest.fixture
def whisper_parameters() -> dict[str, str]:
    """The parameters of the made-up `transcribe`, to be changed."""
    return dict(WHISPER)


MakeServer = Callable[..., FakeTransport]


@pytest.fixture
def made_up_server() -> MakeServer:
    """A function that makes a server; its arguments say what it hears and what it lacks."""

    def make(
        transcribe: Scripted | list[Scripted] = (),
        *,
        labeller: Labeller = lambda _: {},
        max_length: int = 64,
        without: tuple[str, ...] = (),
        whisper: Mapping[str, str] = WHISPER,
        sentiments: tuple[str, ...] = SENTIMENTS,
        answers: Mapping[str, Scripted | list[Scripted]] = {},
    ) -> FakeTransport:
        tokenizers = {
            "whisper_tokenizer": serve_bytes(byte_tokenizer().to_str().encode()),
            "punctuate_tokenizer": serve_bytes(text_tokenizer().to_str().encode()),
            "sentiment_tokenizer": serve_bytes(text_tokenizer().to_str().encode()),
        }
        script: dict[str, Scripted | list[Scripted]] = {
            "transcribe": transcribe,
            "transcribe_words": timed(transcribe),
            "punctuate": label_tokens(labeller),
            "sentiment": judge,
        } | {name: answer for name, (answer, _) in tokenizers.items()}
        script |= answers
        parameters = {
            "transcribe": dict(whisper),
            "transcribe_words": dict(whisper),
            "punctuate": text_parameters(PUNCTUATION, "punctuate_tokenizer", max_length),
            "sentiment": text_parameters(sentiments, "sentiment_tokenizer", 128),
        } | {name: parameters for name, (_, parameters) in tokenizers.items()}
        return FakeTransport(
            {name: answer for name, answer in script.items() if name not in without},
            parameters={name: values for name, values in parameters.items() if name not in without},
        )

    return make
