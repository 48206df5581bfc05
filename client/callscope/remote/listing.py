"""The recordings of a bucket: all below a prefix, or those that a pattern fits."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from callscope.remote.address import WEB, scheme_of
from callscope.remote.failures import translated
from callscope.remote.filesystem import open_filesystem, version_of

WILD = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Listed:
    """A recording that a storage has; `version` is empty where nothing tells its state."""

    address: str
    version: str = ""


def list_recordings(address: str, endings: Container[str]) -> Iterator[Listed]:
    """Recordings, in order of their names.

    Args:
        address: a recording; a prefix, with all below it; or a pattern such as `s3://bucket/2026/**/*.wav`. An address
            of the web is one recording, whatever is in it.
        endings: what the names of recordings end in; one that is named or fits a pattern is taken whatever it ends in.

    Raises:
        RemoteError: it cannot be listed.
        SettingsInvalid, ExtraMissing: nothing that is installed reads such addresses.
    """
    if scheme_of(address) in WEB:
        yield Listed(address)
        return
    system, path = open_filesystem(address)
    with translated(address):
        if WILD.intersection(path):
            found = system.glob(path, detail=True)
        elif address.endswith("/") or (info := system.info(path))["type"] == "directory":
            inside = system.find(path, detail=True).items()
            found = {name: told for name, told in inside if PurePosixPath(name).suffix.lower() in endings}
        else:
            found = {path: info}
        files = [(name, found[name]) for name in sorted(found) if found[name]["type"] == "file" and name[-1:] != "/"]
        listed = [Listed(system.unstrip_protocol(name), version_of(told)) for name, told in files]
    yield from listed
