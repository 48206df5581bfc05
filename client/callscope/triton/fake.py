"""A transport without a server, for tests of whatever uses Callscope.

transport = FakeTransport(
    {"sentiment": {"logits": np.array([[0.1, 0.2, 3.0]], np.float32)}},
    parameters={"sentiment": {"contract": "1", "labels": '["negative", "neutral", "positive"]', ...}},
)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from callscope.errors import ModelMissing
from callscope.triton.transport import ServedModel, Tensors

Scripted = Tensors | Exception | Callable[[Tensors], Tensors]
"""What a model answers: tensors, an error to raise, or a function of the inputs."""


VERSION = "1"
"""Of every model of the script."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the transport received it."""

    model: str
    inputs: Tensors
    outputs: Sequence[str] | None
    timeout_s: float | None
    priority: int


class FakeTransport:
    """Answers from a script, and keeps what it was asked.

    Args:
        answers: for each model its one answer, or a list of them that is used up in order.
        parameters: for each model the `parameters` of its config.pbtxt.

    Attributes:
        requests: every request so far, oldest first.
        closed: whether `close` was called.
    """

    url = "fake://callscope"

    def __init__(
        self,
        answers: Mapping[str, Scripted | list[Scripted]],
        *,
        parameters: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self._answers = {name: list(script) if isinstance(script, list) else script for name, script in answers.items()}
        self._parameters = dict(parameters or {})
        self.requests: list[Request] = []
        self.closed = False

    async def infer(
        self,
        model: str,
        inputs: Tensors,
        *,
        outputs: Sequence[str] | None = None,
        timeout_s: float | None = None,
        priority: int = 0,
    ) -> dict[str, NDArray[Any]]:
        """Give the model's next scripted answer; `ModelMissing` when there is none."""
        self.requests.append(Request(model, inputs, outputs, timeout_s, priority))
        answer = self._next(model)
        if isinstance(answer, Exception):
            raise answer
        tensors = answer(inputs) if callable(answer) else answer
        return {name: tensor for name, tensor in tensors.items() if outputs is None or name in outputs}

    async def parameters(self, model: str) -> dict[str, str]:
        """The scripted parameters; `ModelMissing` when the model has neither parameters nor answers."""
        self._check_served(model)
        return dict(self._parameters.get(model, {}))

    async def version(self, model: str) -> str:
        """What `models` says too; `ModelMissing` as for `parameters`."""
        self._check_served(model)
        return VERSION

    async def models(self) -> tuple[ServedModel, ...]:
        """Every model of the script, ready."""
        names = sorted({*self._answers, *self._parameters})
        return tuple(ServedModel(name, VERSION, "READY", "") for name in names)

    async def close(self) -> None:
        """Remember that it was called."""
        self.closed = True

    def _next(self, model: str) -> Scripted:
        script = self._answers.get(model, [])
        if not isinstance(script, list):
            return script
        if not script:
            raise self._missing(model)
        return script.pop(0)

    def _check_served(self, model: str) -> None:
        if model not in self._parameters and model not in self._answers:
            raise self._missing(model)

    def _missing(self, model: str) -> ModelMissing:
        return ModelMissing(self.url, model, sorted({*self._answers, *self._parameters}))


def serve_bytes(data: bytes) -> tuple[Scripted, dict[str, str]]:
    """The answers and parameters of a model that serves a file, as `whisper_tokenizer` does."""

    def answer(inputs: Tensors) -> Tensors:
        offset, length = int(inputs["offset"][0]), int(inputs["length"][0])
        return {"bytes": np.frombuffer(data[offset : offset + length], np.uint8)}

    return answer, {"contract": "1", "size_bytes": str(len(data))}
