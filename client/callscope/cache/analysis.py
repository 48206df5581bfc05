"""A recording analysed, or its result taken from an earlier analysis that would come out the same.

sha256 -> what is served now -> key -> result
                                    -> analyse -> still served? -> keep
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from callscope.cache.key import key_of
from callscope.cache.outcome import Outcome, tell
from callscope.cache.packed import pack, unpack
from callscope.cache.results import Results
from callscope.cache.served import Served
from callscope.call import Call
from callscope.errors import CacheUnusable
from callscope.pipeline import analyze as analyze_anew
from callscope.redaction.search import mask_text
from callscope.settings import Settings
from callscope.steps import Progress, silent
from callscope.triton.transport import Transport
from callscope_preprocessing.sound import Sound
from callscope_preprocessing.source import STANDARD_INPUT

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Found:
    """What was looked up.

    Attributes:
        outcome: how that went.
        recording: the SHA-256 that was asked for.
        key: the name under which a result would be kept; empty where nobody can tell what is served.
        changes: of the servers, so far.
        call: the result, where there is one.
    """

    outcome: Outcome
    recording: str
    key: str = ""
    changes: int = 0
    call: Call | None = None


class Cache:
    """Results that are used again. What fails here is said once and never costs a call.

    Args:
        results: where they are kept.
        served: asked before and after each analysis.
        settings: those of every analysis.
    """

    def __init__(self, results: Results, served: Served, settings: Settings) -> None:
        self._results, self._settings = results, settings
        self.served = served
        self._has_warned = False

    async def lookup(self, recording_sha256: str) -> Found:
        """The result of a recording by what is served at this moment."""
        found = await self._lookup(recording_sha256)
        tell(found.outcome, recording_sha256)
        return found

    async def keep(self, found: Found, call: Call) -> bool:
        """Keep what an analysis gave after `found`; whether it was kept.

        It is not where a step fell back, nor where it cannot be said which models made it: the servers serve something
        else than before, or did so meanwhile.
        """
        if not found.key or call.processing.degraded or call.recording.sha256 != found.recording:
            return False
        await self.served.identity()
        if self.served.changes != found.changes:
            logger.info("The result of recording %s is not kept: what is served changed.", found.recording[:16])
            return False
        return bool(await self._trying(lambda: self._results.put(found.key, found.recording, pack(call))))

    async def _lookup(self, recording: str) -> Found:
        identity = await self.served.identity()
        changes = self.served.changes
        if identity is None:
            return Found(Outcome.UNSURE, recording)
        key = key_of(recording, identity, self._settings)
        try:
            packed = await asyncio.to_thread(self._results.get, key)
        except CacheUnusable as error:
            self._warn(error)
            return Found(Outcome.FAILED, recording, key, changes)
        try:
            return (
                Found(Outcome.HIT, recording, key, changes, unpack(packed))
                if packed
                else _missed(recording, key, changes)
            )
        except ValueError:  # a damaged disk
            await self._trying(lambda: self._results.forget(key))
            return _missed(recording, key, changes)

    async def _trying(self, work: Callable[[], Answer]) -> Answer | None:
        try:
            return await asyncio.to_thread(work)
        except CacheUnusable as error:
            self._warn(error)
        except ValueError as error:  # a text that no file can hold
            logger.info("A result is not kept: %s", type(error).__name__)
        return None

    def _warn(self, error: CacheUnusable) -> None:
        if not self._has_warned:
            logger.warning("%s", error)
        self._has_warned = True


@asynccontextmanager
async def open_cache(results: Results | None, servers: str, settings: Settings) -> AsyncIterator[Cache | None]:
    """A cache for as long as the block runs; None without results."""
    if results is None:
        yield None
        return
    served = Served(servers, settings)
    try:
        yield Cache(results, served, settings)
    finally:
        await served.close()
        results.close()


async def analyze(
    path: Path,
    transport: Transport,
    settings: Settings,
    *,
    cache: Cache | None = None,
    sha256: str | None = None,
    progress: Progress = silent,
    sound: Sound | None = None,
    name: str | None = None,
) -> Call:
    """`pipeline.analyze`, or the result of an earlier one: `processing.cached` says so.

    Args:
        path: the recording.
        transport: a connected server.
        settings: see each field; those of the cache.
        cache: None analyses anew.
        sha256: of the recording's bytes, where it is known.
        progress: called as the work goes on.
        sound: what `read_call` gave for it, if that was called before.
        name: what the result calls it, if not by its path.

    Raises:
        CallscopeError: see `pipeline.analyze`; the cache raises nothing.
    """
    known = sound.sha256 if sound else sha256
    recording = known or (await asyncio.to_thread(_sha256, path) if cache else "")
    if cache is None or not recording:
        return await analyze_anew(path, transport, settings, progress=progress, sound=sound, name=name)
    found = await cache.lookup(recording)
    if found.call:
        return _as_asked_for(found.call, name or str(path), settings)
    async with cache.served.watching():
        call = await analyze_anew(path, transport, settings, progress=progress, sound=sound, name=name)
    await cache.keep(found, call)
    return call


def _missed(recording: str, key: str, changes: int) -> Found:
    return Found(Outcome.MISS, recording, key, changes)


def _as_asked_for(call: Call, name: str, settings: Settings) -> Call:
    """With the name of this request; how the result came to be stays, and says that it is an earlier one."""
    source = mask_text(name) if settings.redact else name
    return replace(
        call,
        recording=replace(call.recording, source=source),
        processing=replace(call.processing, cached=True),
    )


def _sha256(path: Path) -> str:
    """Empty for what can be read but once, or not at all: the analysis says why."""
    try:
        if path == STANDARD_INPUT or not path.is_file():
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return ""
