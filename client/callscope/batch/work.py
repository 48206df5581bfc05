"""The work on one recording: fetched, claimed, analysed, its result stored."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from callscope.batch.pace import Pace
from callscope.batch.sources import Item
from callscope.cache.analysis import Cache, analyze
from callscope.call import Call
from callscope.errors import (
    ContractMismatch,
    ExtraMissing,
    LanguageUnknown,
    ModelMissing,
    RemoteDenied,
    RemoteUnreachable,
    ServerBusy,
    ServersDiffer,
    ServerTimeout,
    ServerUnreachable,
    SettingsInvalid,
    StoreError,
)
from callscope.redaction.redact import redact
from callscope.settings import Settings
from callscope.store.claims import Claims
from callscope.store.sql import Store
from callscope.store.tables import VERSION_FIELD
from callscope.telemetry.calls import end_as, name_call, whole_call
from callscope.triton.attempts import counted
from callscope.triton.transport import Transport
from callscope_preprocessing.limits import Limits

BLOCK = 1 << 20
AWAY = (ServerUnreachable, ServerBusy, ServerTimeout, RemoteUnreachable, StoreError)
"""What stays away longer than patience lasts: the batch ends and can be run again."""
TRUE_OF_ALL = (
    ContractMismatch,
    ExtraMissing,
    LanguageUnknown,
    ModelMissing,
    RemoteDenied,
    ServersDiffer,
    SettingsInvalid,
)
"""What no other recording would escape: the batch ends."""
ENDING = (*AWAY, *TRUE_OF_ALL)
ELSEWHERE_S = 1.0
"""How often it is looked whether another process is done with a recording."""

State = Literal["done", "known", "aside", "elsewhere"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one recording.

    Attributes:
        state: its result was stored; it had one; it cannot be read; or another process works on it.
        reason: why it cannot be read.
        again: how many requests for it were tried again.
        error: the class of the error because of which it cannot be read.
        cached: whether its result came from the cache.
    """

    state: State
    reason: str = ""
    again: int = 0
    error: str = ""
    cached: bool = False


@dataclass(frozen=True, slots=True)
class _Here:
    """A recording on this machine, and what is known of it."""

    path: Path
    metadata: Mapping[str, str]


class Worker:
    """Works on recordings; several at once, as many as the pace allows.

    Args:
        transport: a connected server.
        store: where results go.
        claims: those of the store.
        settings: see `analyze`.
        pace: how many calls are worked on at once.
        redo: SHA-256 sums of recordings that are analysed again though they have a result.
        cache: results that are used again where they would come out the same.
    """

    def __init__(
        self,
        transport: Transport,
        store: Store,
        claims: Claims,
        settings: Settings,
        *,
        pace: Pace,
        redo: frozenset[str] = frozenset(),
        cache: Cache | None = None,
    ) -> None:
        self._transport, self._store, self._claims, self._settings = transport, store, claims, settings
        self._pace, self._redo, self._cache = pace, redo, cache
        self._begun: set[str] = set()

    async def do(self, item: Item, *, patient: bool = False) -> Outcome:
        """Work on one recording.

        Args:
            item: the recording.
            patient: wait for another process that works on it, and see what became of it.

        Raises:
            CallscopeError: what ends a batch: a server, a storage or a database that stays away, a model or a setting
                that is wrong for all.
        """
        with whole_call():
            try:
                outcome = await self._done(item, patient=patient)
            except ENDING:
                raise
            except Exception as error:  # one recording must not take the others with it
                end_as("aside", error)
                return Outcome("aside", _reason(error), error=type(error).__name__)
            if outcome.state != "done":
                end_as("known" if outcome.state == "known" else None)
            return outcome

    async def _done(self, item: Item, *, patient: bool) -> Outcome:
        async with self._at_hand(item) as here:
            sha256 = await asyncio.to_thread(_sha256, here.path)
            name_call(sha256)
            outcome = await self._claimed(item, here, sha256)
            while outcome.state == "elsewhere" and patient:
                await asyncio.sleep(ELSEWHERE_S)
                outcome = await self._claimed(item, here, sha256)
            return outcome

    @asynccontextmanager
    async def _at_hand(self, item: Item) -> AsyncIterator[_Here]:
        if not item.is_remote:
            yield _Here(Path(item.source), item.metadata)
            return
        from callscope.remote.fetch import fetched  # noqa: PLC0415  fsspec is for who needs it

        limits = Limits(bytes=self._settings.max_bytes)
        async with fetched(item.source, limits, self._settings.patience_s) as file:
            told = {VERSION_FIELD: file.version} if file.version else {}
            yield _Here(file.path, {**item.metadata, **told})

    async def _claimed(self, item: Item, here: _Here, sha256: str) -> Outcome:
        if sha256 in self._begun:
            return Outcome("known")
        self._begun.add(sha256)
        try:
            outcome = await self._ours(item, here, sha256)
        except Exception:
            self._begun.discard(sha256)
            raise
        if outcome.state == "elsewhere":
            self._begun.discard(sha256)
        return outcome

    async def _ours(self, item: Item, here: _Here, sha256: str) -> Outcome:
        """Work on a recording that nobody else in this process has begun."""
        if not await asyncio.to_thread(self._claims.take, sha256):
            return Outcome("elsewhere")
        try:
            known = await asyncio.to_thread(self._store.known, [sha256])
            if known and sha256 not in self._redo:
                return Outcome("known")
            return await self._analyzed(item, here, sha256)
        finally:
            await asyncio.to_thread(self._claims.free, sha256)

    async def _analyzed(self, item: Item, here: _Here, sha256: str) -> Outcome:
        number = await self._pace.begin()
        with counted() as requests:
            try:
                call = await analyze(
                    here.path, self._transport, self._settings, cache=self._cache, sha256=sha256, name=item.name
                )
                await asyncio.to_thread(self._store.put, [_with_metadata(call, here.metadata, self._settings)])
            finally:
                self._pace.end(number, requests)
        return Outcome("done", again=requests.again, cached=call.processing.cached)


def _reason(error: Exception) -> str:
    """Why a recording is set aside, a sentence where it is one of our errors."""
    if hasattr(error, "exit_code"):
        return str(error)
    if isinstance(error, OSError):
        return f"It cannot be read ({error.strerror})."
    return f"{type(error).__name__}: {error}"


def _with_metadata(call: Call, metadata: Mapping[str, str], settings: Settings) -> Call:
    if not metadata:
        return call
    told = replace(call, recording=replace(call.recording, metadata={**metadata, **call.recording.metadata}))
    return redact(told) if settings.redact else told


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
