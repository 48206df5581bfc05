"""The fingerprint of a file, made beside other work."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import FileIO
from threading import Event

PART_BYTES = 1 << 20


@contextmanager
def digesting(file: FileIO) -> Iterator[Callable[[], str]]:
    """Hash a file in a thread while the caller reads it; its position is left alone.

    Yields:
        A function that waits for the end and returns SHA-256 as hexadecimal digits. Not called, the work is given up.
    """
    given_up = Event()
    with ThreadPoolExecutor(1, "sha256") as pool:
        digest = pool.submit(_sha256, file.fileno(), given_up)
        try:
            yield digest.result
        finally:
            given_up.set()


def _sha256(number: int, given_up: Event) -> str:
    digest, position = hashlib.sha256(), 0
    while not given_up.is_set() and (part := os.pread(number, PART_BYTES, position)):
        digest.update(part)
        position += len(part)
    return digest.hexdigest()
