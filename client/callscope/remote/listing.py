"""The recordings of a bucket: all below a prefix, or those that a pattern fits."""

from __future__ import annotations

from collections.abc import Container, Iterator
from pathlib import PurePosixPath

from callscope.remote.address import WEB, scheme_of
from callscope.remote.failures import translated
from callscope.remote.filesystem import open_filesystem

WILD = frozenset("*?[")


def list_recordings(address: str, endings: Container[str]) -> Iterator[str]:
    """The addresses of recordings, in order of their names.

    Args:
        address: a recording; a prefix, with all below it; or a pattern such as `s3://bucket/2026/**/*.wav`. An address
            of the web is one recording, whatever is in it.
        endings: what the names of recordings end in; one that is named or fits a pattern is taken whatever it ends in.

    Raises:
        RemoteError: it cannot be listed.
        SettingsInvalid, ExtraMissing: nothing that is installed reads such addresses.
    """
    if scheme_of(address) in WEB:
        yield address
        return
    system, path = open_filesystem(address)
    with translated(address):
        if WILD.intersection(path):
            found = [name for name, told in system.glob(path, detail=True).items() if told["type"] == "file"]
        elif address.endswith("/") or system.info(path)["type"] == "directory":
            found = [name for name in system.find(path) if PurePosixPath(name).suffix.lower() in endings]
        else:
            found = [path]
        addresses = [system.unstrip_protocol(name) for name in sorted(found) if not name.endswith("/")]
    yield from addresses
