"""What a client sends to the served models, by the names that tests give it."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tensors = dict[str, NDArray[Any]]
AskAll = Callable[..., list[Tensors]]


def options(max_tokens: int) -> Tensors:
    """What `transcribe` takes beside the sound."""
    numbers = {"language": -1, "task": -1, "max_tokens": max_tokens}
    return {name: np.array([[number]], np.int32) for name, number in numbers.items()} | {
        "temperature": np.zeros((1, 1), np.float32)
    }
