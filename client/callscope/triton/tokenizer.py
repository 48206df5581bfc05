"""A model's tokenizer, by way of Triton: a client needs nothing but the server's address."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from tokenizers import Tokenizer

from callscope.triton.contract import describe
from callscope.triton.transport import Transport

PAGE_BYTES = 4 * 1024 * 1024

_fetched: WeakKeyDictionary[Transport, dict[str, Tokenizer]] = WeakKeyDictionary()


async def fetch_tokenizer(transport: Transport, model: str) -> Tokenizer:
    """The tokenizer that `model` serves, without padding or truncation; fetched once for each transport.

    Raises:
        ModelMissing: the server does not serve it.
        ContractMismatch: what it serves is cut short, or no tokenizer.json.
    """
    known = _fetched.setdefault(transport, {})
    if model not in known:
        known[model] = await _fetch(transport, model)
    return known[model]


async def _fetch(transport: Transport, model: str) -> Tokenizer:
    description = await describe(transport, model)
    size_bytes = description.count("size_bytes")
    data = b"".join([await _page(transport, model, offset, size_bytes) for offset in range(0, size_bytes, PAGE_BYTES)])
    if len(data) != size_bytes:
        raise description.mismatch(f"it served {len(data)} bytes of a tokenizer of {size_bytes}")
    try:
        tokenizer = Tokenizer.from_buffer(data)
    except Exception as error:  # tokenizers raises the bare class
        raise description.mismatch(f"what it serves is not a tokenizer.json: {error}") from None
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


async def _page(transport: Transport, model: str, offset: int, size_bytes: int) -> bytes:
    length = min(PAGE_BYTES, size_bytes - offset)
    inputs = {"offset": np.array([offset], np.int64), "length": np.array([length], np.int64)}
    answer = await transport.infer(model, inputs, outputs=["bytes"])
    return answer["bytes"].astype(np.uint8, copy=False).tobytes()
