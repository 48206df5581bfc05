from __future__ import annotations

from collections.abc import Callable

import pytest

from callscope.errors import ContractMismatch, ModelMissing
from callscope.triton import tokenizer as tokenizer_module
from callscope.triton.fake import FakeTransport, serve_bytes
from callscope.triton.tokenizer import fetch_tokenizer

pytestmark = pytest.mark.asyncio


def serving(data: bytes, **overrides: str) -> FakeTransport:
    answer, parameters = serve_bytes(data)
    return FakeTransport({"whisper_tokenizer": answer}, parameters={"whisper_tokenizer": parameters | overrides})


async def test_a_tokenizer_larger_than_a_page_arrives_whole(
    made_up_server: Callable[..., FakeTransport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokenizer_module, "PAGE_BYTES", 1000)
    server = made_up_server()
    tokenizer = await fetch_tokenizer(server, "whisper_tokenizer")
    assert tokenizer.decode(tokenizer.encode("注文 order 주문").ids) == "注文 order 주문"
    assert len(server.requests) == 3


async def test_it_is_fetched_once_for_each_transport(made_up_server: Callable[..., FakeTransport]) -> None:
    first, second = made_up_server(), made_up_server()
    assert await fetch_tokenizer(first, "whisper_tokenizer") is await fetch_tokenizer(first, "whisper_tokenizer")
    await fetch_tokenizer(second, "whisper_tokenizer")
    assert (len(first.requests), len(second.requests)) == (1, 1)


async def test_a_tokenizer_that_pads_or_truncates_does_neither_here(
    made_up_server: Callable[..., FakeTransport],
) -> None:
    plain = await fetch_tokenizer(made_up_server(), "whisper_tokenizer")
    plain.enable_truncation(3)
    plain.enable_padding(length=50)
    fetched = await fetch_tokenizer(serving(plain.to_str().encode()), "whisper_tokenizer")
    assert len(fetched.encode("twelve bytes").ids) == 12


async def test_one_cut_short_is_refused() -> None:
    with pytest.raises(ContractMismatch, match=r"10 bytes of a tokenizer of 5000"):
        await fetch_tokenizer(serving(b"0123456789", size_bytes="5000"), "whisper_tokenizer")


async def test_what_is_no_tokenizer_is_refused() -> None:
    with pytest.raises(ContractMismatch, match=r"not a tokenizer\.json"):
        await fetch_tokenizer(serving(b'{"a": 1}'), "whisper_tokenizer")


async def test_a_missing_one_is_named_with_what_is_served() -> None:
    with pytest.raises(ModelMissing, match="serves whisper_tokenizer but not sentiment_tokenizer"):
        await fetch_tokenizer(serving(b""), "sentiment_tokenizer")
