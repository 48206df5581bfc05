"""What a server answered, taken apart and looked at before anybody computes with it."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException

from callscope.errors import RequestFailed, ServerUnreachable

MAX_ANSWER_BYTES = 64 << 20
"""More is not taken from a server: the largest answer of the contract, a window's states, has 8 MB."""
NOT_TRITON = "and the answer is not Triton's"

MALFORMED = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError, MemoryError,
    struct.error, InferenceServerException,
)  # fmt: skip
"""What the library raises over an answer that is not made as it should be: no JSON, other lengths than it claims."""


@contextmanager
def reading(url: str) -> Iterator[None]:
    """Raise `ServerUnreachable` where the block finds that an answer is not made as Triton makes it."""
    try:
        yield
    except MALFORMED:
        raise ServerUnreachable(url, NOT_TRITON) from None


def tensors(
    url: str,
    model: str,
    names: Callable[[], Sequence[str]],
    tensor: Callable[[str], NDArray[Any] | None],
    wanted: Sequence[str] | None,
) -> dict[str, NDArray[Any]]:
    """The tensors of an answer.

    Raises:
        ServerUnreachable: the answer is not Triton's.
        RequestFailed: an output that was asked for is not there, or holds what is not a number.
    """
    with reading(url):
        found = {name: tensor(name) for name in names()}
    missing = sorted({*(wanted or ()), *found} - {name for name, value in found.items() if value is not None})
    if missing:
        raise RequestFailed(url, model, f"it answered without {', '.join(missing)}")
    answer = {name: value for name, value in found.items() if value is not None}
    _require_numbers(url, model, answer)
    return answer


def _require_numbers(url: str, model: str, answer: Mapping[str, NDArray[Any]]) -> None:
    for name, value in answer.items():
        if np.issubdtype(value.dtype, np.floating) and bool(np.isnan(value).any()):
            raise RequestFailed(url, model, f"its output {name} holds values that are not numbers (NaN)")
