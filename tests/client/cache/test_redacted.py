"""What is kept of a call whose personal data is masked."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from callscope.cache import analysis
from callscope.cache.results import Results
from callscope.call import Call
from callscope.redaction.redact import redact
from callscope.settings import Settings

from ..store.conftest import make_call

if TYPE_CHECKING:
    from callscope_server.launcher import TritonServer

CARD = "My card is 4111 1111 1111 1111."


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> Call:
    """A call in which somebody tells a card's number, in place of what the pipeline makes of a recording."""
    call = make_call(1)
    call = replace(call, segments=(replace(call.segments[4], text=CARD, raw_text=CARD, sentences=()),))

    async def analyzed(_path: Path, _transport: Any, settings: Settings, **_: Any) -> Call:
        return redact(call) if settings.redact else call

    monkeypatch.setattr(analysis, "analyze_anew", analyzed)
    return call


@pytest.mark.parametrize("masked", [True, False])
def test_only_masked_text_is_kept_where_masked_text_is_wanted(
    triton: TritonServer, spoken: Call, tmp_path: Path, masked: bool
) -> None:
    results = Results(tmp_path, max_bytes=1 << 20, max_age_s=86400.0)
    settings, recording = Settings(redact=masked), spoken.recording.sha256

    async def twice() -> list[Call]:
        async with analysis.open_cache(results, f"grpc://{triton.endpoints.grpc}", settings) as cache:
            work = {"cache": cache, "sha256": recording}
            return [await analysis.analyze(Path("x.wav"), None, settings, **work) for _ in range(2)]  # type: ignore[arg-type]

    calls = asyncio.run(twice())
    assert [call.processing.cached for call in calls] == [False, True]
    assert ["4111" in call.segments[0].text for call in calls] == [not masked] * 2
    with results._connected() as connection:
        (kept,) = (zlib.decompress(row[0]) for row in connection.execute("SELECT packed FROM results"))
    results.close()
    assert (b"4111" in kept) is not masked
