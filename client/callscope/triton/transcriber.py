"""Speech to text with the served Whisper: one window in, its words and the evidence for them out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from callscope.errors import LanguageUnknown, ModelMissing
from callscope.text.normalize import normalize
from callscope.triton.alignment import TimedWord, split_words, time_words
from callscope.triton.contract import Description, describe
from callscope.triton.evidence import Doubt, compression_ratio, doubts, is_silence, mean_logprob
from callscope.triton.stretches import by_piece, texts_of, without_repeats
from callscope.triton.tokenizer import fetch_tokenizer
from callscope.triton.transport import Transport
from callscope_preprocessing.chunk import Chunk

MODEL = "transcribe"
MODEL_WITH_WORDS = "transcribe_words"
OUTPUTS = ("tokens", "logprobs", "chosen_language", "language_probability", "no_speech_probability")
ALIGNMENT = "alignment"
UNSPECIFIED = -1
"""On the wire: detect the language, or take the default task."""

TOKENS_BASE = 24
TOKENS_PER_SPEECH_SECOND = 16
"""The fastest talkers reach 10 Japanese or Korean syllables a second, and a byte-level vocabulary spends 1 to 2 tokens
on each; the base leaves room for a window in which voice activity detection has missed some speech. A batch runs until
its slowest row ends, so a window with little speech must not be allowed a long answer."""

REPLACEMENT = "\ufffd"


@dataclass(frozen=True, slots=True)
class WhisperModel:
    """The served recogniser as it describes itself.

    Attributes:
        sample_rate_hz: of the sound it hears.
        window_samples: the length of the one window it takes.
        languages: code -> token id; empty for an English-only checkpoint.
        tasks: name -> token id.
        end_of_text: the token that ends a text and pads the rest.
        max_tokens: the most tokens of one window.
        tokenizer: token ids to text.
        version: the served version.
        precision: fp32, fp16 or int8.
        source: the checkpoint it was exported from.
        revision: of that checkpoint.
    """

    sample_rate_hz: int
    window_samples: int
    languages: Mapping[str, int]
    tasks: Mapping[str, int]
    end_of_text: int
    max_tokens: int
    tokenizer: Tokenizer
    version: str
    precision: str
    source: str
    revision: str

    @property
    def window_s(self) -> float:
        """The window's length in seconds."""
        return self.window_samples / self.sample_rate_hz


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was heard in one window, and how sure the model is.

    Attributes:
        text: as the model wrote it, NFC; empty when the evidence says nobody spoke.
        language: its code.
        language_probability: of that language, at the first position of the decoder.
        avg_logprob: mean log-probability of the text's tokens and the end of text.
        no_speech_probability: of the no-speech token, at the first position.
        compression_ratio: UTF-8 bytes of the text / their zlib size; above 2.4 the text repeats itself.
        tokens: the text's tokens.
        words: the text word by word; none where the server does not serve `transcribe_words`.
        doubts: what speaks against it, none where it is to be believed.
        temperature: at which its tokens were picked.
    """

    text: str
    language: str
    language_probability: float
    avg_logprob: float
    no_speech_probability: float
    compression_ratio: float
    tokens: tuple[int, ...]
    words: tuple[TimedWord, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    temperature: float = 0.0


class Transcriber:
    """Asks the served Whisper for the words of a chunk.

    Attributes:
        model: the recogniser.
        times_words: whether the server tells when each word was said.
    """

    def __init__(self, transport: Transport, model: WhisperModel, *, times_words: bool) -> None:
        self._transport = transport
        self.model = model
        self.times_words = times_words

    @classmethod
    async def from_server(cls, transport: Transport) -> Transcriber:
        """Read everything the client needs to know from the server.

        Raises:
            ModelMissing: the server serves no `transcribe`, or not its tokenizer.
            ContractMismatch: what it serves is not what this client expects.
        """
        description = await describe(transport, MODEL)
        tokenizer = await fetch_tokenizer(transport, description.text("tokenizer"))
        return cls(transport, _read_model(description, tokenizer), times_words=await _is_served(transport))

    async def transcribe(self, chunk: Chunk, language: str | None, temperature: float = 0.0) -> Transcript:
        """The words of a chunk, and what speaks against them.

        Args:
            chunk: its sound at the model's rate, at most a window.
            language: a code the model knows; None to detect it.
            temperature: 0 for the most probable words; above, they are drawn, the less probable the more often.

        Raises:
            LanguageUnknown: the model does not know the language.
        """
        inputs = {
            "audio": chunk.window(self.model.window_samples)[np.newaxis],
            "language": _option(self.language_token(language), np.int32),
            "task": _option(UNSPECIFIED, np.int32),
            "max_tokens": _option(token_limit(chunk.speech_s, self.model.max_tokens), np.int32),
            "temperature": _option(temperature, np.float32),
        }
        outputs = (*OUTPUTS, ALIGNMENT) if self.times_words else OUTPUTS
        return self._read(chunk, await self._transport.infer(self.name, inputs, outputs=outputs), temperature)

    @property
    def name(self) -> str:
        """The model that is asked."""
        return MODEL_WITH_WORDS if self.times_words else MODEL

    def language_token(self, language: str | None) -> int:
        """The token of a language code, or -1 where none is needed or given.

        Raises:
            LanguageUnknown: the model does not know the language.
        """
        known = self.model.languages or {"en": UNSPECIFIED}  # an English-only checkpoint has no language tokens
        if language is None:
            return UNSPECIFIED
        if language not in known:
            raise LanguageUnknown(language, sorted(known))
        return known[language]

    def _language_code(self, token: int) -> str:
        if not self.model.languages:
            return "en"
        codes = {token: code for code, token in self.model.languages.items()}
        return codes.get(token, "")

    def _read(self, chunk: Chunk, answer: Mapping[str, NDArray[Any]], temperature: float) -> Transcript:
        row = {name: tensor[0] for name, tensor in answer.items()}
        ends = np.flatnonzero(row["tokens"] == self.model.end_of_text)
        count = int(ends[0]) if len(ends) else len(row["tokens"])
        tokens = tuple(int(token) for token in row["tokens"][:count])
        no_speech_probability = float(row["no_speech_probability"][0])
        avg_logprob = mean_logprob(row["logprobs"], count)
        heard = not is_silence(no_speech_probability, avg_logprob)
        text = normalize(self.model.tokenizer.decode(tokens).rstrip(REPLACEMENT)) if heard else ""
        language = self._language_code(int(row["chosen_language"][0]))
        words = self._words(chunk, language, tokens, row) if text else ()
        return Transcript(
            text=text,
            language=language,
            language_probability=float(row["language_probability"][0]),
            avg_logprob=avg_logprob,
            no_speech_probability=no_speech_probability,
            compression_ratio=compression_ratio(text),
            tokens=tokens,
            words=words,
            doubts=doubts(
                text,
                language,
                once=_once(text, language, words, chunk),
                avg_logprob=avg_logprob,
                no_speech_probability=no_speech_probability,
                speech_s=chunk.speech_s,
                cut_off=count >= token_limit(chunk.speech_s, self.model.max_tokens),
            ),
            temperature=temperature,
        )

    def _words(
        self, chunk: Chunk, language: str, tokens: tuple[int, ...], row: Mapping[str, NDArray[Any]]
    ) -> tuple[TimedWord, ...]:
        if not self.times_words:
            return ()
        return time_words(
            split_words(tokens, self.model.tokenizer, language),
            row[ALIGNMENT],
            row["logprobs"],
            chunk.window(self.model.window_samples),
            frame_s=self.model.window_s / row[ALIGNMENT].shape[1],
            length_s=chunk.heard_s,
        )


def token_limit(speech_s: float, max_tokens: int) -> int:
    """How many tokens a window with so many seconds of speech may take."""
    return min(max_tokens, TOKENS_BASE + math.ceil(TOKENS_PER_SPEECH_SECOND * speech_s))


def _once(text: str, language: str, words: tuple[TimedWord, ...], chunk: Chunk) -> str:
    """The text, but what several stretches of a window say alike only once."""
    if len(chunk.pieces) == 1:
        return text
    return without_repeats(texts_of(text, by_piece(words, chunk), language), language)


async def _is_served(transport: Transport) -> bool:
    try:
        await describe(transport, MODEL_WITH_WORDS)
    except ModelMissing:
        return False
    return True


def _option(value: float, kind: type[np.generic]) -> NDArray[Any]:
    return np.array([[value]], kind)


def _read_model(description: Description, tokenizer: Tokenizer) -> WhisperModel:
    return WhisperModel(
        sample_rate_hz=description.count("sample_rate_hz"),
        window_samples=description.count("window_samples"),
        languages=description.json("languages", dict),
        tasks=description.json("tasks", dict),
        end_of_text=description.count("end_of_text"),
        max_tokens=description.count("max_tokens"),
        tokenizer=tokenizer,
        version=description.version,
        precision=description.text("precision"),
        source=description.text("source"),
        revision=description.text("revision"),
    )
