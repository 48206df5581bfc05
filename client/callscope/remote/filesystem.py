"""fsspec's way to an address: the file system of its scheme, and the path in it."""

from __future__ import annotations

from typing import Any, Literal, Protocol, cast

import fsspec

from callscope.errors import ExtraMissing, SettingsInvalid
from callscope.remote.address import CHAIN, scheme_of, shown

EXTRAS = {"s3": "s3", "s3a": "s3"}
"""Schemes with an extra of ours; others have a package of fsspec's, which its own error names."""


VERSION_KEYS = ("ETag", "etag", "md5Hash", "content_md5")


class FileSystem(Protocol):
    """What is used of fsspec's file systems."""

    def info(self, path: str) -> dict[str, Any]:
        """What the storage tells of a file."""

    def cat_file(self, path: str, start: int, end: int) -> bytes:
        """Some bytes of a file."""

    def find(self, path: str, *, detail: Literal[True]) -> dict[str, dict[str, Any]]:
        """The paths of all files below one, and what the storage tells of each."""

    def glob(self, path: str, *, detail: Literal[True]) -> dict[str, dict[str, Any]]:
        """The paths that a pattern fits, and what the storage tells of each."""

    def open(self, path: str, mode: str, **options: Any) -> Any:  # noqa: ANN401  fsspec's own files
        """A file to read."""

    def unstrip_protocol(self, path: str) -> str:
        """The address of a path."""


def open_filesystem(address: str) -> tuple[FileSystem, str]:
    """The file system of an address, and the path in it. Credentials and endpoints are those of its own tools.

    Raises:
        SettingsInvalid: nothing is known of such addresses.
        ExtraMissing: what reads them is not installed.
    """
    scheme = scheme_of(address)
    if scheme not in fsspec.available_protocols() or CHAIN in address:
        raise SettingsInvalid(f"Nothing can be fetched from {shown(address)}. Write s3://BUCKET/PREFIX or https://….")
    try:
        system, path = fsspec.url_to_fs(address, use_listings_cache=False)
    except ImportError as error:
        if scheme in EXTRAS:
            raise ExtraMissing(f"{scheme}://", EXTRAS[scheme]) from error
        raise SettingsInvalid(f"{scheme}:// needs another package: {error}") from error
    return cast("FileSystem", system), path


def version_of(info: dict[str, Any]) -> str:
    """What a storage tells a file's state by: the same is the same content. Empty where it tells nothing."""
    return next((str(info[key]).strip('"') for key in VERSION_KEYS if info.get(key)), "")
