"""A recording is fetched into a file without a name, which is gone with whoever holds it, however that ends."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import IO, Any

import stamina

from callscope.errors import RemoteUnreachable
from callscope.remote.address import shown
from callscope.remote.failures import RemoteChanged, translated
from callscope.remote.filesystem import VERSION_KEYS, FileSystem, open_filesystem, version_of
from callscope_preprocessing.errors import storage_full
from callscope_preprocessing.limits import Limits

Copied = tuple[IO[bytes], str]
"""A file and the version that it is of."""
BLOCK_BYTES = 4 << 20
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 10.0
STATE_KEYS = (*VERSION_KEYS, "LastModified", "last_modified", "updated", "mtime", "size")
"""What shows that a file was replaced."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A recording on this machine.

    Attributes:
        path: a file without a name, for as long as somebody holds it.
        version: what its storage tells its state by; empty where it tells nothing.
    """

    path: Path
    version: str


@asynccontextmanager
async def fetched(address: str, limits: Limits, patience_s: float) -> AsyncIterator[Fetched]:
    """A recording on this machine for as long as the block runs; tried again while its storage is away.

    Args:
        address: where it is.
        limits: it is not fetched if it has more bytes than these allow.
        patience_s: for how long it is tried.

    Raises:
        RemoteError: it cannot be had.
        AudioTooLarge: it has too many bytes.
        StorageFull: there is no room for it here.
    """
    file, version = await _fetch(address, limits, patience_s)
    with file:
        yield Fetched(Path(f"/proc/self/fd/{file.fileno()}"), version)


async def _fetch(address: str, limits: Limits, patience_s: float) -> Copied:
    async for attempt in stamina.retry_context(
        on=(RemoteUnreachable, RemoteChanged),
        attempts=None,
        timeout=patience_s,
        wait_initial=FIRST_PAUSE_S,
        wait_max=LONGEST_PAUSE_S,
    ):
        with attempt:
            return await _apart(_Copy(address, limits))
    raise AssertionError(address)  # the last attempt returns or raises


async def _apart(copy: _Copy) -> Copied:
    """Copy in a thread that nobody waits for: a storage that hangs must not keep the program from its end."""
    loop = asyncio.get_running_loop()
    made: asyncio.Future[Copied] = loop.create_future()

    def deliver(copied: Copied | None, error: BaseException | None) -> None:
        if made.done():  # nobody wants it any more
            if copied:
                copied[0].close()
        elif copied:
            made.set_result(copied)
        elif error:
            made.set_exception(error)

    def run() -> None:
        copied, error = None, None
        try:
            copied = copy.make()
        except BaseException as caught:
            error = caught
        try:
            loop.call_soon_threadsafe(deliver, copied, error)
        except RuntimeError:  # the loop has ended
            if copied:
                copied[0].close()

    Thread(target=run, name="fetch", daemon=True).start()
    try:
        return await made
    except asyncio.CancelledError:
        copy.given_up.set()
        raise


@dataclass(frozen=True, slots=True)
class _Copy:
    """A recording on its way here."""

    address: str
    limits: Limits
    given_up: Event = field(default_factory=Event)

    @property
    def name(self) -> str:
        return shown(self.address)

    def make(self) -> Copied:
        system, path = open_filesystem(self.address)
        with translated(self.address):
            before = _info(system, path)
        self.limits.require_small(self.name, before.get("size") or 0)
        file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  handed to the caller
        try:
            with translated(self.address):
                self._read(system, path, file)
                self._require_whole(before, system.info(path), file.tell())
        except BaseException:
            file.close()
            raise
        return file, version_of(before)

    def _read(self, system: FileSystem, path: str, file: IO[bytes]) -> None:
        with system.open(path, "rb", block_size=BLOCK_BYTES, cache_type="none") as remote:
            while block := remote.read(BLOCK_BYTES):
                self.limits.require_small(self.name, file.tell() + len(block))
                if self.given_up.is_set():
                    raise RemoteUnreachable(self.name, "given up")
                _write(file, block)

    def _require_whole(self, before: dict[str, Any], after: dict[str, Any], read_bytes: int) -> None:
        """It is as it was when it was begun, and all of it was read."""
        if _state(before) != _state(after) or before.get("size") not in {None, read_bytes}:
            raise RemoteChanged(self.name)


def _info(system: FileSystem, path: str) -> dict[str, Any]:
    """What the storage tells of a file; where it refuses to, the refusal of the file itself, which says why."""
    try:
        return system.info(path)
    except PermissionError:
        system.cat_file(path, start=0, end=1)
        raise


def _write(file: IO[bytes], block: bytes) -> None:
    rest = memoryview(block)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        raise storage_full(error) from error


def _state(info: dict[str, Any]) -> list[str]:
    return [str(info.get(key)) for key in STATE_KEYS]
