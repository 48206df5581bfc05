"""What is sent: windows, texts and whole calls, made of recordings as the pipeline makes them."""

from __future__ import annotations

import asyncio
import random
import tomllib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from callscope.errors import ModelMissing
from callscope.packing import pack_call
from callscope.pipeline import analyze
from callscope.preparation import prepare, read_call
from callscope.settings import Settings
from callscope.steps import Record
from callscope.triton.text_model import TextModel, encode, fetch_text_model
from callscope.triton.transcriber import UNSPECIFIED, Transcriber, token_limit
from callscope.triton.transport import Transport

Send = Callable[[Transport], Awaitable[float]]
"""Sends one request, awaits its answer, and gives the seconds of sound that were in it."""
SUFFIXES = {".wav", ".flac", ".mp3", ".ogg"}
SENTENCES = 3
"""In a text, drawn by chance, so that none is answered from the cache because it was sent before."""
SPOKEN = ("yes that is right", "my order number is four two seven", "can you tell me when it will arrive")


@dataclass(frozen=True, slots=True)
class Window:
    """A window of speech.

    Attributes:
        audio: int16, shape (1, samples).
        speech_s: how much of it is speech.
        tokens: the most that its text may take.
        end_s: when in its call it has been said.
    """

    audio: NDArray[np.int16]
    speech_s: float
    tokens: int
    end_s: float


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording: where it is, how long it takes, and its windows in the order in which they end."""

    path: Path
    duration_s: float
    windows: Sequence[Window]


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that can be sent, for a server's models.

    Attributes:
        calls: the recordings.
        sentences: for texts.
        text_models: those of `punctuate` and `sentiment` that are served.
    """

    calls: Sequence[Recorded]
    sentences: Sequence[str]
    text_models: Sequence[TextModel]

    @property
    def windows(self) -> Sequence[Window]:
        """Of all recordings."""
        return [window for call in self.calls for window in call.windows]

    @property
    def windows_a_call(self) -> float:
        """How many windows a recording has on average."""
        return len(self.windows) / len(self.calls)

    @property
    def windows_a_live_second(self) -> float:
        """How many windows a second of a call in progress gives."""
        return len(self.windows) / sum(call.duration_s for call in self.calls)


async def gather(transport: Transport, folder: Path, most_tokens: int = 0) -> Material:
    """Read the recordings of a folder, and cut them for the models that a server has.

    Args:
        transport: to the server, which says how long a window is.
        folder: with recordings, and their scripts in TOML beside them where there are any.
        most_tokens: the limit of a window's tokens, if lower than what its speech is good for; 0 for none.

    Raises:
        FileNotFoundError: the folder holds no recording.
        CallscopeError: the server does not serve the recogniser, or does not answer.
    """
    paths = await asyncio.to_thread(_recordings, folder)
    if not paths:
        raise FileNotFoundError(f"{folder} holds no recording. Name a folder of recordings with --calls.")
    transcriber = await Transcriber.from_server(transport)
    calls = await asyncio.to_thread(lambda: [_cut(path, transcriber, most_tokens) for path in paths])
    models = [model for name in ("punctuate", "sentiment") if (model := await _text_model(transport, name))]
    return Material(calls, _sentences(folder), models)


def sends(kind: str, material: Material, chance: random.Random, *, model: str, timeout_s: float) -> Iterator[Send]:
    """What a source of a kind sends, one after another, drawn by chance.

    Args:
        kind: transcribe or closed: a window; punctuate or sentiment: a text; call: a whole call.
        material: what there is to send.
        chance: chooses among it.
        model: which is asked for windows: transcribe or transcribe_words.
        timeout_s: after which a request counts as failed.
    """
    windows, texts = material.windows, {each.name: each for each in material.text_models}
    while True:
        if kind == "call":
            yield partial(_send_call, path=chance.choice(material.calls).path, timeout_s=timeout_s)
        elif kind in texts:
            yield partial(_send_text, model=texts[kind], text=_text(material, chance), timeout_s=timeout_s)
        else:
            yield partial(_send_window, model=model, window=chance.choice(windows), timeout_s=timeout_s)


def live(material: Material, chance: random.Random, *, model: str, timeout_s: float) -> Iterator[tuple[float, Send]]:
    """A line on which one call follows another, begun in the middle of one: each window when it has been said.

    Yields:
        Seconds since the window before, and the request.
    """
    skip_s = chance.random() * max(call.duration_s for call in material.calls)
    since_s = 0.0
    while True:
        call = chance.choice(material.calls)
        at_s = 0.0
        for window in call.windows:
            since_s += window.end_s - at_s
            at_s = window.end_s
            if skip_s > since_s:
                continue
            yield since_s - skip_s, partial(_send_window, model=model, window=window, timeout_s=timeout_s)
            since_s = skip_s = 0.0
        since_s += call.duration_s - at_s


async def _send_window(transport: Transport, *, model: str, window: Window, timeout_s: float) -> float:
    inputs: dict[str, NDArray[Any]] = {
        "audio": window.audio,
        "language": np.array([[UNSPECIFIED]], np.int32),
        "task": np.array([[UNSPECIFIED]], np.int32),
        "max_tokens": np.array([[window.tokens]], np.int32),
        "temperature": np.zeros((1, 1), np.float32),
    }
    await transport.infer(model, inputs, timeout_s=timeout_s)
    return window.speech_s


async def _send_text(transport: Transport, *, model: TextModel, text: str, timeout_s: float) -> float:
    await transport.infer(model.name, encode(model, text).inputs, timeout_s=timeout_s)
    return 0.0


async def _send_call(transport: Transport, *, path: Path, timeout_s: float) -> float:
    return (await analyze(path, transport, Settings(timeout_s=timeout_s))).recording.duration_s


def _text(material: Material, chance: random.Random) -> str:
    picked = [chance.choice(material.sentences) for _ in range(SENTENCES)]
    return f"{chance.randrange(10**6)} {' '.join(picked)}"


def _cut(path: Path, transcriber: Transcriber, most_tokens: int) -> Recorded:
    settings, samples = Settings(), transcriber.model.window_samples
    limit = min(transcriber.model.max_tokens, most_tokens or transcriber.model.max_tokens)
    sound = read_call(path, settings)
    chunks = pack_call(prepare(sound, settings, Record()), transcriber, settings)
    windows = [
        Window(chunk.window(samples)[np.newaxis], chunk.speech_s, token_limit(chunk.speech_s, limit), chunk.span.end_s)
        for chunk in chunks
    ]
    return Recorded(path, sound.duration_s, sorted(windows, key=lambda window: window.end_s))


def _recordings(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix in SUFFIXES)


def _sentences(folder: Path) -> list[str]:
    scripts = [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.toml"))]
    return [sentence for script in scripts for sentence in _spoken(script)] or list(SPOKEN)


def _spoken(script: Mapping[str, Any]) -> list[str]:
    return [text.rstrip(".?!。？！") for turn in script.get("turn", []) for text, *_ in turn["sentences"]]


async def _text_model(transport: Transport, name: str) -> TextModel | None:
    try:
        return await fetch_text_model(transport, name)
    except ModelMissing:
        return None
