"""The runtimes that are compared: each turns windows of sound into a fixed number of tokens.

All of them get the same weights, the same windows and the same language, pick the most probable token, and are told
never to end a text, so that each does the same work.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

LANGUAGE = "en"
SCALE = 32768.0
Windows = NDArray[np.int16]
Tokens = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Work:
    """What every engine needs to know.

    Attributes:
        checkpoint: the folder that all weights come from, in Hugging Face's layout.
        repository: the same, exported.
        converted: the same, converted for CTranslate2.
        tokens: how many tokens each window gives.
        threads: how many cores are used.
    """

    checkpoint: Path
    repository: Path
    converted: Path
    tokens: int
    threads: int


class Engine(Protocol):
    """One way to run the checkpoint."""

    def run(self, windows: Windows) -> Tokens:
        """Transcribe windows, shape (count, samples), into tokens, shape (count, tokens)."""

    def figures(self) -> Mapping[str, float]:
        """What there is to say of the runs so far."""

    def close(self) -> None:
        """Let go of everything."""


class Silent:
    """An engine with nothing to say or to let go of."""

    def figures(self) -> Mapping[str, float]:
        """Nothing."""
        return {}

    def close(self) -> None:
        """Do nothing."""


class InProcess(Silent):
    """The exported graphs in ONNX Runtime, in this process."""

    def __init__(self, work: Work, batch: int) -> None:
        self._work, self._batch = work, batch
        self._mel, self._encoder, self._decoder = (
            self._open(name) for name in ("log_mel", "whisper_encoder", "whisper_decoder")
        )

    def run(self, windows: Windows) -> Tokens:
        """Batch after batch, stage after stage."""
        return np.concatenate([self._transcribe(part) for part in _parts(windows, self._batch)])

    def _transcribe(self, audio: Windows) -> Tokens:
        (mel,) = self._mel.run(None, {"audio": audio})
        (states,) = self._encoder.run(None, {"mel": mel})
        (tokens,) = self._decoder.run(["tokens"], {"states": states, **options(self._work, len(audio))})
        return np.asarray(tokens[:, : self._work.tokens])

    def _open(self, model: str) -> Any:  # noqa: ANN401  ONNX Runtime ships no types
        import onnxruntime  # noqa: PLC0415  each engine loads its own runtime, and no other

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = self._work.threads
        (graph,) = (self._work.repository / model).glob("*/model.onnx")
        return onnxruntime.InferenceSession(graph, settings, providers=["CPUExecutionProvider"])


class Served:
    """The exported repository in a Triton of its own, asked over gRPC by several clients at once."""

    def __init__(self, work: Work, clients: int) -> None:
        from callscope_server.launcher import TritonServer  # noqa: PLC0415  as above

        self._work, self._clients = work, clients
        self._open = ExitStack()
        self._server = self._open.enter_context(TritonServer(work.repository, startup_timeout_s=600))
        self._loop = self._open.enter_context(asyncio.Runner())

    def run(self, windows: Windows) -> Tokens:
        """One window a request, at most one request a client at any time."""
        return self._loop.run(self._ask(windows))

    def figures(self) -> Mapping[str, float]:
        """The mean batch of encoder and decoder, by Triton's own count."""
        return {f"{part} batch": self._loop.run(self._mean_batch(f"whisper_{part}")) for part in ("encoder", "decoder")}

    def close(self) -> None:
        """End the server."""
        self._open.close()

    async def _ask(self, windows: Windows) -> Tokens:
        from callscope.triton.concurrency import map_concurrently  # noqa: PLC0415  as above
        from callscope.triton.grpc import GrpcTransport  # noqa: PLC0415  as above

        transport = GrpcTransport(self._server.endpoints.grpc, timeout_s=600)

        async def ask(window: Windows) -> Tokens:
            inputs = {"audio": window[np.newaxis], **options(self._work, 1)}
            answer = await transport.infer("transcribe", inputs, outputs=["tokens"])
            return np.asarray(answer["tokens"][0, : self._work.tokens])

        try:
            return np.stack(await map_concurrently(ask, list(windows), limit=self._clients))
        finally:
            await transport.close()

    async def _mean_batch(self, model: str) -> float:
        from tritonclient.grpc.aio import InferenceServerClient  # noqa: PLC0415  as above

        async with InferenceServerClient(self._server.endpoints.grpc) as client:
            statistics = (await client.get_inference_statistics(model)).model_stats[0]
        return float(statistics.inference_count / max(1, statistics.execution_count))


class FasterWhisper(Silent):
    """faster-whisper, which runs CTranslate2: its batched pipeline, or one window after another."""

    def __init__(self, work: Work, compute_type: str, batch: int) -> None:
        import faster_whisper  # noqa: PLC0415  as above

        self._work, self._batch = work, batch
        device = {"device": "cpu", "cpu_threads": work.threads, "compute_type": compute_type}
        self._model = faster_whisper.WhisperModel(str(work.converted), **device)
        self._pipeline = faster_whisper.BatchedInferencePipeline(self._model)
        first = self._model.hf_tokenizer.token_to_id("<|endoftext|>")
        self._special = list(range(first, self._model.hf_tokenizer.get_vocab_size()))

    def run(self, windows: Windows) -> Tokens:
        """The whole recording at once, its windows given as clips."""
        sound = windows.reshape(-1).astype(np.float32) / SCALE
        length_s = windows.shape[1] / 16_000
        clips = [{"start": n * length_s, "end": (n + 1) * length_s} for n in range(len(windows))]
        segments, _ = self._pipeline.transcribe(
            sound, batch_size=self._batch, clip_timestamps=clips, vad_filter=False, **self._options()
        )
        return np.stack([np.array(segment.tokens) for segment in segments])

    def _options(self) -> dict[str, Any]:
        # CTranslate2 counts the prompt in, and gives half of that: Whisper's 448 positions make 224 tokens of text.
        prompt = 4 if self._model.model.is_multilingual else 2
        most = 2 * self._work.tokens - prompt
        options: dict[str, Any] = {"language": LANGUAGE, "beam_size": 1, "temperature": 0.0, "max_new_tokens": most}
        return options | {"without_timestamps": True, "suppress_tokens": self._special}


class Transformers(Silent):
    """transformers on PyTorch, float32."""

    def __init__(self, work: Work, batch: int) -> None:
        import torch  # noqa: PLC0415  as above
        import transformers  # noqa: PLC0415  as above

        torch.set_num_threads(work.threads)
        transformers.logging.set_verbosity_error()
        self._work, self._batch, self._torch = work, batch, torch
        self._extractor = transformers.WhisperFeatureExtractor.from_pretrained(work.checkpoint)
        model = transformers.WhisperForConditionalGeneration.from_pretrained(work.checkpoint, dtype=torch.float32)
        self._model: Any = model.eval()

    def run(self, windows: Windows) -> Tokens:
        """Batch after batch through the feature extractor and `generate`."""
        return np.concatenate([self._transcribe(part) for part in _parts(windows, self._batch)])

    def _transcribe(self, audio: Windows) -> Tokens:
        mel = self._extractor(list(audio / SCALE), sampling_rate=16_000, return_tensors="pt").input_features
        with self._torch.inference_mode():
            tokens = self._model.generate(
                mel, language=LANGUAGE, task="transcribe", return_timestamps=False, max_new_tokens=self._work.tokens
            )
        return np.asarray(tokens.numpy()[:, -self._work.tokens :])


BATCH = 16
"""Windows in a batch, of every engine that makes batches."""

ENGINES: Mapping[str, Callable[[Work], Engine]] = {
    "Callscope int8, in process": lambda work: InProcess(work, batch=BATCH),
    "Callscope int8, in process, no batches": lambda work: InProcess(work, batch=1),
    "Callscope int8, Triton, 1 client": lambda work: Served(work, clients=1),
    "Callscope int8, Triton, 4 clients": lambda work: Served(work, clients=4),
    "Callscope int8, Triton, 16 clients": lambda work: Served(work, clients=16),
    "faster-whisper int8, batched": lambda work: FasterWhisper(work, "int8", batch=BATCH),
    "faster-whisper int8, no batches": lambda work: FasterWhisper(work, "int8", batch=1),
    "faster-whisper float32, batched": lambda work: FasterWhisper(work, "float32", batch=BATCH),
    "transformers float32, batched": lambda work: Transformers(work, batch=BATCH),
}


def options(work: Work, rows: int) -> dict[str, NDArray[Any]]:
    """The decoder's options for so many rows."""
    generation = json.loads((work.checkpoint / "generation_config.json").read_text(encoding="utf-8"))
    language = (generation.get("lang_to_id") or {}).get(f"<|{LANGUAGE}|>", -1)
    values = {"language": language, "task": -1, "max_tokens": work.tokens}
    given: dict[str, NDArray[Any]] = {name: np.full((rows, 1), value, np.int32) for name, value in values.items()}
    return {**given, "temperature": np.zeros((rows, 1), np.float32)}


def _parts(windows: Windows, size: int) -> Sequence[Windows]:
    return [windows[start : start + size] for start in range(0, len(windows), size)]
