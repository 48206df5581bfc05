"""Never a stale result: a real Triton to which another model is published, before, between and in the middle."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from callscope.batch.tally import Tally
from callscope.cache.analysis import Cache, analyze, open_cache
from callscope.cache.results import Results
from callscope.cache.served import Served
from callscope.call import Call
from callscope.settings import Settings
from callscope.store.query import Query
from callscope.store.sql import open_store
from callscope.triton.resilient import open_transport
from callscope.triton.transport import Transport

from ...one_batch import one_batch
from .conftest import Published

if TYPE_CHECKING:
    from callscope_server.launcher import TritonServer

SETTINGS = Settings()


def results_in(folder: Path) -> Results:
    return Results(folder / "cache", max_bytes=1 << 30, max_age_s=86400.0)


@asynccontextmanager
async def working(url: str, folder: Path) -> AsyncIterator[tuple[Transport, Cache]]:
    """A transport and a cache, as a command has them."""
    transport = open_transport(url, SETTINGS)
    try:
        async with open_cache(results_in(folder), url, SETTINGS) as cache:
            assert cache
            yield transport, cache
    finally:
        await transport.close()


def run(published: Published, folder: Path, recordings: Sequence[Path]) -> list[Call]:
    """Analyse recordings as a command of its own does."""

    async def work() -> list[Call]:
        async with working(published.url, folder) as (transport, cache):
            return [await analyze(path, transport, SETTINGS, cache=cache) for path in recordings]

    return asyncio.run(work())


def version(call: Call) -> int:
    return int(call.processing.models["sentiment"].version or 0)


class Meanwhile:
    """A transport by whose first request for sentiment something happens."""

    def __init__(self, inner: Transport, happens: Callable[[], object]) -> None:
        self._inner, self._happens, self._done = inner, happens, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def infer(self, model: str, *given: Any, **named: Any) -> Any:
        if model == "sentiment" and not self._done:
            self._done = True
            await asyncio.to_thread(self._happens)
        return await self._inner.infer(model, *given, **named)


def run_meanwhile(published: Published, folder: Path, recording: Path, happens: Callable[[], object]) -> Call:
    async def work() -> Call:
        async with working(published.url, folder) as (transport, cache):
            return await analyze(recording, Meanwhile(transport, happens), SETTINGS, cache=cache)

    return asyncio.run(work())


@pytest.fixture(autouse=True)
def as_it_was(published: Published) -> Any:
    """Each test begins with the repository's own model, and leaves it."""
    before = published.serving()
    yield
    if published.serving() != before:
        published.go_back()


def test_every_result_is_new_after_an_export_and_the_old_ones_are_back_after_a_roll_back(
    published: Published, recordings: tuple[Path, ...], tmp_path: Path
) -> None:
    first = run(published, tmp_path, recordings)
    again = run(published, tmp_path, recordings)
    assert [call.processing.cached for call in first + again] == [False] * 3 + [True] * 3
    new_version = published.publish()
    new = run(published, tmp_path, recordings)
    assert [(call.processing.cached, version(call)) for call in new] == [(False, new_version)] * 3
    assert [call.processing.cached for call in run(published, tmp_path, recordings)] == [True] * 3
    old_version = published.go_back()
    back = run(published, tmp_path, recordings)
    assert [(call.processing.cached, version(call)) for call in back] == [(True, old_version)] * 3
    assert [call.segments for call in back] == [call.segments for call in first]
    assert [call.segments for call in new] != [call.segments for call in first]


def test_what_was_made_while_a_model_was_published_is_not_kept(
    published: Published, recordings: tuple[Path, ...], tmp_path: Path
) -> None:
    made = run_meanwhile(published, tmp_path, recordings[0], published.publish)
    assert not made.processing.cached
    assert results_in(tmp_path).status().entries == 0
    assert not run(published, tmp_path, recordings[:1])[0].processing.cached
    published.go_back()
    assert not run(published, tmp_path, recordings[:1])[0].processing.cached


def test_a_model_that_came_and_went_in_the_middle_leaves_nothing(
    published: Published, recordings: tuple[Path, ...], tmp_path: Path
) -> None:
    def come_and_go() -> None:
        published.publish()
        time.sleep(1.5)  # the shortest that Triton serves a model which it finds by polling, and half a second
        published.go_back()

    run_meanwhile(published, tmp_path, recordings[0], come_and_go)
    assert results_in(tmp_path).status().entries == 0


def test_no_result_of_a_batch_in_the_middle_of_which_a_model_is_published_is_stale(
    published: Published, recordings: tuple[Path, ...], tmp_path: Path
) -> None:
    old_version = int(published.serving())

    async def work() -> None:
        publishing: list[asyncio.Task[int]] = []

        def told(_: Tally) -> None:
            if not publishing:
                publishing.append(asyncio.create_task(asyncio.to_thread(published.publish)))

        async with working(published.url, tmp_path) as (transport, cache):
            database = tmp_path / "calls.db"
            tally = await one_batch(recordings, transport, database, SETTINGS, cache=cache, told=told)
            await publishing[0]
        assert tally.done == 3
        store = open_store(str(database))
        assert len(list(store.export(Query()))) == 3
        store.close()

    asyncio.run(work())
    new_version = int(published.serving())
    assert new_version != old_version
    assert {version(call) for call in run(published, tmp_path, recordings)} == {new_version}
    published.go_back()
    assert {version(call) for call in run(published, tmp_path, recordings)} == {old_version}


def test_a_server_that_cannot_be_asked_costs_no_call_and_keeps_nothing(
    published: Published, recordings: tuple[Path, ...], tmp_path: Path
) -> None:
    """Two servers that differ, of which the work's is one."""

    async def work() -> Call:
        transport = open_transport(published.url, SETTINGS)
        nobody = "grpc://127.0.0.1:9"
        try:
            async with open_cache(results_in(tmp_path), nobody, SETTINGS) as cache:
                return await analyze(recordings[0], transport, SETTINGS, cache=cache)
        finally:
            await transport.close()

    assert not asyncio.run(work()).processing.cached
    assert not results_in(tmp_path).file.exists()


def test_servers_that_do_not_serve_the_same_are_no_ground_to_know_a_result_by(
    published: Published, triton: TritonServer
) -> None:
    async def identities() -> tuple[str | None, str | None, str | None]:
        one, other = (Served(url, SETTINGS) for url in (published.url, f"http://{triton.endpoints.http}"))
        both = Served(f"{published.url},http://{triton.endpoints.http}", SETTINGS)
        try:
            return await one.identity(), await other.identity(), await both.identity()
        finally:
            await asyncio.gather(one.close(), other.close(), both.close())

    one, other, both = asyncio.run(identities())
    assert one == other == both is not None
    published.publish()
    one, other, both = asyncio.run(identities())
    assert one != other
    assert both is None
