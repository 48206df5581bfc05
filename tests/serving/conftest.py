"""The sound of the demo calls, cut as the pipeline cuts it, and ways to ask a server for its words."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from callscope.triton.transport import connect
from callscope_preprocessing.audio import Audio
from callscope_preprocessing.channels import split_channels
from callscope_preprocessing.decode import decode
from callscope_preprocessing.pcm import to_int16
from callscope_preprocessing.resample import resample
from callscope_preprocessing.track import track_of
from callscope_preprocessing.vad import detect_speech
from callscope_preprocessing.windows import Chunk, pack

from ..repository_files import parameters, read_config
from .asking import AskAll, Tensors, options

if TYPE_CHECKING:
    from callscope_server.launcher import TritonServer

UTTERANCES = 50
SHIFT_S = 0.35
"""What is left out at a call's start to cut it into other windows, where one way gives too few."""


@pytest.fixture(scope="session")
def utterances(repository: Path, demo_calls: Path) -> tuple[Chunk, ...]:
    """50 windows of speech from both channels of the demo calls, in turn."""
    told = parameters(read_config(repository, "transcribe"))
    rate_hz, samples = int(told["sample_rate_hz"]), int(told["window_samples"])
    calls = [
        [resample(audio, rate_hz) for audio in split_channels(decode(path))]
        for path in sorted(demo_calls.glob("*.wav"))
    ]
    found: list[Chunk] = []
    shift = 0
    while len(found) < UTTERANCES:
        each = [_windows(channels, round(shift * SHIFT_S * rate_hz), samples / rate_hz) for channels in calls]
        found += [chunk for row in _in_turn(each) for chunk in row]
        shift += 1
    return tuple(found[:UTTERANCES])


def _windows(channels: Sequence[Audio], shift: int, window_s: float) -> list[Chunk]:
    shifted = [Audio(audio.samples[:, shift:], audio.rate_hz) for audio in channels]
    return [
        chunk
        for index, audio in enumerate(shifted)
        for chunk in pack(
            audio,
            detect_speech(track_of(to_int16(audio.samples[0]), audio.rate_hz)).spans,
            channel=index,
            window_s=window_s,
        )
    ]


def _in_turn(lists: Sequence[list[Chunk]]) -> list[list[Chunk]]:
    """The first of each list, then the second of each."""
    return [[each[index] for each in lists if index < len(each)] for index in range(max(map(len, lists)))]


@pytest.fixture(scope="session")
def requests(utterances: tuple[Chunk, ...], repository: Path) -> list[Tensors]:
    """What a client sends to `transcribe` for each of the utterances."""
    told = parameters(read_config(repository, "transcribe"))
    limit, samples = int(told["max_tokens"]), int(told["window_samples"])
    return [{"audio": chunk.window(samples)[np.newaxis], **options(limit)} for chunk in utterances]


@pytest.fixture(scope="session")
def ask_all(triton: TritonServer) -> AskAll:
    """Send requests to a model, `at_once` so many at a time: ask_all("transcribe", requests, at_once=16)."""

    async def send(wire: str, model: str, inputs: Sequence[Tensors], at_once: int) -> list[Tensors]:
        transport, gate = connect(f"{wire}://{getattr(triton.endpoints, wire)}"), asyncio.Semaphore(at_once)

        async def one(request: Tensors) -> Tensors:
            async with gate:
                return await transport.infer(model, request)

        try:
            return await asyncio.gather(*map(one, inputs))
        finally:
            await transport.close()

    def ask(model: str, inputs: Sequence[Tensors], *, wire: str = "grpc", at_once: int = 1) -> list[Tensors]:
        return asyncio.run(send(wire, model, inputs, at_once))

    return ask


@pytest.fixture(scope="session")
def alone(ask_all: AskAll, requests: list[Tensors]) -> list[Tensors]:
    """What the served recogniser answers to each utterance when nobody else asks."""
    return ask_all("transcribe", requests)
