"""The batch: each recording analysed once, its result stored, what cannot be read set aside."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from callscope.batch.sources import Item
from callscope.cache.analysis import Cache, analyze
from callscope.call import Call
from callscope.errors import (
    ContractMismatch,
    LanguageUnknown,
    ModelMissing,
    ServerBusy,
    ServersDiffer,
    ServerTimeout,
    ServerUnreachable,
    SettingsInvalid,
)
from callscope.redaction.redact import redact
from callscope.settings import Settings
from callscope.store.sql import Store
from callscope.telemetry.calls import end_as, name_call, whole_call
from callscope.telemetry.metrics import queued
from callscope.triton.transport import Transport

logger = logging.getLogger(__name__)

BLOCK = 1 << 20
AWAY = (ServerUnreachable, ServerBusy, ServerTimeout)
"""What passes: the recording is tried again, after a pause."""
TRUE_OF_ALL = (ContractMismatch, LanguageUnknown, ModelMissing, ServersDiffer, SettingsInvalid)
"""What no other recording would escape: the batch ends."""
PAUSES_S = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 30.0, 30.0)
"""Before each further attempt: two minutes in all, in which a server may start again."""


@dataclass(slots=True)
class Tally:
    """How a batch went.

    Attributes:
        done: recordings whose results were stored.
        cached: those of them whose results came from the cache.
        known: recordings that had a result.
        aside: recordings that cannot be read, with the reason.
        errors: the class of the error of each.
        again: attempts that failed because the server was away.
    """

    done: int = 0
    cached: int = 0
    known: int = 0
    aside: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    again: int = 0


async def run_batch(
    items: Sequence[Item],
    transport: Transport,
    store: Store,
    settings: Settings,
    *,
    at_once: int,
    tally: Tally,
    redo: frozenset[str] = frozenset(),
    cache: Cache | None = None,
    told: Callable[[Tally], None] = lambda _: None,
) -> None:
    """Analyse recordings and store their results; what has one is passed over.

    A recording is known by its content: the same sound under two names is one call. Killed at any moment and run again,
    the batch goes on where it was, since a result is stored whole or not at all.

    Args:
        items: the recordings.
        transport: a connected server.
        store: where results go.
        settings: see `analyze`.
        at_once: recordings that are worked on at a time.
        tally: what happens is written here as it happens, so that it is there however the batch ends.
        redo: SHA-256 sums of recordings that are analysed again though they have a result.
        cache: results that are used again where they would come out the same.
        told: called after each recording.

    Raises:
        TritonError: the server lacks a model, or stays away for two minutes.
        StoreError: the database cannot be written.
    """
    waiting = queued(items, len(items))
    claimed: set[str] = set()

    async def work() -> None:
        for item in waiting:
            with whole_call():
                await _one(item, transport, store, settings, tally=tally, claimed=claimed, redo=redo, cache=cache)
            told(tally)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(max(1, at_once)):
                group.create_task(work())
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _one(
    item: Item,
    transport: Transport,
    store: Store,
    settings: Settings,
    *,
    tally: Tally,
    claimed: set[str],
    redo: frozenset[str],
    cache: Cache | None,
) -> None:
    try:
        sha256 = await asyncio.to_thread(_sha256, item.path)
    except OSError as error:
        tally.aside[str(item.path)] = f"It cannot be read ({error.strerror})."
        tally.errors[str(item.path)] = type(error).__name__
        end_as("aside", error)
        return
    name_call(sha256)
    known = await asyncio.to_thread(store.known, [sha256])
    if sha256 in claimed or (known and sha256 not in redo):
        tally.known += 1
        end_as("known")
        return
    claimed.add(sha256)
    try:
        call = await _analyzed(item, sha256, transport, settings, tally, cache)
    except (*TRUE_OF_ALL, *AWAY):
        raise
    except Exception as error:  # one recording must not take the others with it
        claimed.discard(sha256)
        tally.errors[str(item.path)] = type(error).__name__
        end_as("aside", error)
        tally.aside[str(item.path)] = str(error) if hasattr(error, "exit_code") else f"{type(error).__name__}: {error}"
        return
    await asyncio.to_thread(store.put, [_with_metadata(call, item, settings)])
    tally.done += 1
    tally.cached += call.processing.cached


async def _analyzed(  # noqa: PLR0917  what `_one` has
    item: Item, sha256: str, transport: Transport, settings: Settings, tally: Tally, cache: Cache | None
) -> Call:
    for pause_s in PAUSES_S:
        try:
            return await analyze(item.path, transport, settings, cache=cache, sha256=sha256)
        except AWAY as error:
            tally.again += 1
            logger.info("%s is tried again in %g s: %s", item.path, pause_s, error)
            await asyncio.sleep(pause_s)
    return await analyze(item.path, transport, settings, cache=cache, sha256=sha256)


def _with_metadata(call: Call, item: Item, settings: Settings) -> Call:
    if not item.metadata:
        return call
    told = replace(call, recording=replace(call.recording, metadata={**item.metadata, **call.recording.metadata}))
    return redact(told) if settings.redact else told


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def write_aside(tally: Tally, file: Path) -> None:
    """Write what was set aside, a line of JSON each; an old list is replaced, and gone where there is nothing."""
    if not tally.aside:
        file.unlink(missing_ok=True)
        return
    found = ({"path": path, "reason": why, "error": tally.errors.get(path)} for path, why in tally.aside.items())
    lines = (json.dumps(one, ensure_ascii=False) for one in found)
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
